/// Why tokens cannot be evaluated.
public enum EvaluationRejection: Error, Equatable, Sendable, CustomStringConvertible {
  case tokenOutsideVocabulary(Int32, index: Int, vocabularySize: Int)
  case contextExceeded(positions: Int, contextLength: Int)
  /// Logits of an encoder.
  case encodesOnly
  /// An embedding of a decoder.
  case generatesOnly
  case noTokens

  public var description: String {
    switch self {
    case .tokenOutsideVocabulary(let token, let index, let size):
      "token \(index) is \(token); this model's ids are 0 to \(size - 1)"
    case .contextExceeded(let positions, let length):
      "\(positions) positions do not fit this model's context of \(length); send fewer tokens"
    case .encodesOnly: "this model makes embeddings and does not continue a text; use another model"
    case .generatesOnly: "this model continues a text and does not make embeddings; use another model"
    case .noTokens: "an embedding needs one token at least; send some text"
    }
  }
}

/// At which of the evaluated positions logits are computed.
public enum LogitsWanted: Sendable, Equatable {
  case none, last, all
}
