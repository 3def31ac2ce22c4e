public import ModelGraph

/// Something that runs a model: the reference interpreter or the fast engine.
public protocol Recomputation: Sendable {
  /// What computes, for the verdict: "the reference interpreter", "AVX2 kernels on 4 threads".
  var description: String { get }

  /// Feeds `tokens` as positions 0, 1, 2, … and hands over the logits at each position from
  /// `firstPosition` on, in order.
  ///
  /// - Parameters:
  ///   - tokens: ids inside the vocabulary, at most as many as the context holds.
  ///   - body: gets position and logits; false ends the computation.
  /// - Throws: when this machine cannot compute (memory, files). That refutes nothing.
  func logits(
    for tokens: [Int32], from firstPosition: Int, _ body: (_ position: Int, _ logits: Logits) throws -> Bool
  ) throws

  /// The embedding of one input by an encoder.
  ///
  /// - Parameters:
  ///   - tokens: ids inside the vocabulary, at least one and at most as many as the context holds.
  ///   - dimensions: at most the hidden size.
  /// - Throws: when this machine cannot compute. That refutes nothing.
  func embedding(for tokens: [Int32], dimensions: Int) throws -> EmbeddingVector
}

/// The interpreter that is the normative meaning of a model. Slow, and inside the trusted closure.
public struct ReferenceRecomputation: Recomputation {
  private let interpreter: ReferenceInterpreter
  /// Positions whose logits are held at once.
  private static let blockLength = 16

  public init(image: ModelImage) { interpreter = ReferenceInterpreter(image: image) }

  public var description: String { "the reference interpreter" }

  public func logits(
    for tokens: [Int32], from firstPosition: Int, _ body: (_ position: Int, _ logits: Logits) throws -> Bool
  ) throws {
    var state = interpreter.makeState()
    let prefix = min(max(0, firstPosition), tokens.count)
    _ = try interpreter.evaluate(Array(tokens[..<prefix]), state: &state, logits: .none)
    for start in stride(from: prefix, to: tokens.count, by: ReferenceRecomputation.blockLength) {
      let end = min(start + ReferenceRecomputation.blockLength, tokens.count)
      let block = try interpreter.evaluate(Array(tokens[start..<end]), state: &state, logits: .all)
      for (i, logits) in block.enumerated() {
        guard try body(start + i, logits) else { return }
      }
    }
  }

  public func embedding(for tokens: [Int32], dimensions: Int) throws -> EmbeddingVector {
    let config = interpreter.image.manifest.config
    guard let pooling = config.pooling else { preconditionFailure("only an encoder is asked for embeddings") }
    return Embedding.vector(
      try interpreter.encode(tokens), pooling: pooling, normalised: config.normalised, dimensions: dimensions,
      fractionBits: config.residualFractionBits)
  }
}
