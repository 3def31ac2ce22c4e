/// Why an answer has no further token.
public enum FinishReason: String, Sendable, Equatable, CaseIterable {
  /// The model ended it; the end-of-sequence id is the last token.
  case stop
  /// The token limit or the end of the context.
  case length
  /// The caller ended it, or went away.
  case cancelled
}

/// Why no answer is started.
public enum GenerationRejection: Error, Equatable, Sendable, CustomStringConvertible {
  case emptyPrompt
  case tokenOutsideVocabulary(Int32, index: Int, vocabularySize: Int)
  /// The context must have room for one token at least.
  case promptTooLong(tokens: Int, contextLength: Int)
  case missingStreamKey
  case cacheTooSmall(bytes: Int, max: Int)
  case queueFull(max: Int)
  case shuttingDown

  public var description: String {
    switch self {
    case .emptyPrompt: "the prompt has no tokens; send at least one"
    case .tokenOutsideVocabulary(let token, let index, let size):
      "token \(index) of the prompt is \(token); this model's ids are 0 to \(size - 1)"
    case .promptTooLong(let tokens, let length):
      "the prompt has \(tokens) tokens; this model's context of \(length) must also hold the answer: shorten the prompt"
    case .missingStreamKey: "a temperature above 0 needs a stream key"
    case .cacheTooSmall(let bytes, let max):
      "prompt and answer need \(bytes) bytes of keys and values, of which \(max) are allowed: ask for fewer tokens"
    case .queueFull(let max): "\(max) requests are waiting already; try again later"
    case .shuttingDown: "no new requests are accepted: the server is shutting down"
    }
  }
}
