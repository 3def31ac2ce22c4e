public import Receipts

/// Chat template and tokenizer of one model: both directions between text and tokens are part of the
/// claim that a statement makes.
public protocol PromptRenderer: Sendable {
  /// The token ids that a request becomes.
  ///
  /// - Parameter time: the statement's time, for templates that write the date.
  /// - Throws: when the model's template or tokenizer cannot express the request. The node could not
  ///   have answered it either.
  func inputTokens(for request: Request, time: String) throws -> [Int32]

  /// The token ids that one input for an embedding becomes.
  func inputTokens(for input: EmbeddingRequest.Input) throws -> [Int32]

  /// The bytes that generated tokens stand for, special tokens left out. A character may be cut at
  /// the end.
  ///
  /// - Parameter outputTokens: generated tokens from the first on, without the end-of-sequence token.
  func bytes(of outputTokens: ArraySlice<Int32>) throws -> [UInt8]
}
