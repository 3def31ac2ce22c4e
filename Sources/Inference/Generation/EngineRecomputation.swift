public import ModelGraph

/// Recomputes the logits of a finished answer in one pass: every token is known, so nothing has to wait.
///
/// Has the shape of `Verification.Recomputation`, which is on the other side of the trusted closure's edge.
public struct EngineRecomputation: Sendable, CustomStringConvertible {
  private let engine: Engine

  public init(engine: Engine) { self.engine = engine }

  /// What computes, for a verdict.
  public var description: String {
    let threads = engine.options.threads
    return "\(engine.kernels) kernels on \(threads) \(threads == 1 ? "thread" : "threads")"
  }

  /// Feeds `tokens` as positions 0, 1, 2, … and hands over the logits at each position from
  /// `firstPosition` on, in order.
  ///
  /// - Parameter body: gets position and logits; false ends the computation.
  /// - Throws: `EvaluationRejection` for tokens that the model cannot take, ``EngineFailure``, or what `body`
  ///   throws.
  public func logits(
    for tokens: [Int32], from firstPosition: Int, _ body: (_ position: Int, _ logits: Logits) throws -> Bool
  ) throws {
    let sequence = engine.makeSequence()
    let prefix = min(max(0, firstPosition), tokens.count)
    try engine.evaluate([Slice(sequence: sequence, tokens: Array(tokens[..<prefix]), logits: .none)])
    // One row at a time where it lies: all rows of a chunk side by side would be as large as a small model.
    var logits = Logits(values: [], exponent: 0)
    var goesOn = true
    var failure: (any Error)?
    for start in stride(from: prefix, to: tokens.count, by: engine.options.prefillChunk) {
      let part = Array(tokens[start..<min(start + engine.options.prefillChunk, tokens.count)])
      try engine.evaluate([Slice(sequence: sequence, tokens: part, logits: .all)]) { _, position, row in
        guard goesOn else { return }
        row.copy(to: &logits)
        do { goesOn = try body(position, logits) } catch { (goesOn, failure) = (false, error) }
      }
      if let failure { throw failure }
      if !goesOn { return }
    }
  }

  /// The embedding of one input by an encoder.
  ///
  /// - Throws: `EvaluationRejection` or ``EngineFailure``.
  public func embedding(for tokens: [Int32], dimensions: Int) throws -> EmbeddingVector {
    try engine.embeddings(of: [tokens], dimensions: dimensions)[0]
  }
}
