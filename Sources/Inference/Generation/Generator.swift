public import ModelGraph

/// Answers one prompt at a time on the calling thread.
///
/// It blocks and computes; in asynchronous code use ``Scheduler``.
public struct Generator: Sendable {
  private let engine: Engine

  public init(engine: Engine) { self.engine = engine }

  public struct Result: Sendable, Equatable {
    /// The end-of-sequence id is part of it.
    public let tokens: [Int32]
    public let reason: FinishReason
  }

  /// - Parameters:
  ///   - streamKey: may be nil only when the temperature is 0.
  ///   - endTokens: ids that end the answer.
  ///   - each: hears of every token at once; false ends the answer.
  /// - Throws: ``GenerationRejection`` before anything is computed, ``EngineFailure`` when memory runs out.
  public func generate(
    prompt: [Int32], parameters: SamplingParameters, streamKey: StreamKey?, endTokens: [Int32],
    each: (Int32) throws -> Bool = { _ in true }
  ) throws -> Result {
    try Answer.check(engine.image, prompt: prompt, parameters: parameters, streamKey: streamKey)
    var answer = Answer(
      engine, prompt: prompt, parameters: parameters, streamKey: streamKey, endTokens: endTokens)
    var tokens: [Int32] = []
    var logits = Logits(values: [], exponent: 0)
    while true {
      try engine.evaluate([answer.nextSlice(rows: .max)]) { _, _, row in row.copy(to: &logits) }
      let (token, finish) = answer.choose(logits)
      tokens.append(token)
      let goesOn = try each(token)
      if let finish { return Result(tokens: tokens, reason: finish) }
      if !goesOn { return Result(tokens: tokens, reason: .cancelled) }
    }
  }
}
