public import Digests

/// Why a tokenizer definition is refused.
public enum TokenizerError: Error, Equatable, Sendable, CustomStringConvertible {
  case json(JSONError)
  case missing(field: String)
  case invalid(field: String, reason: String)
  /// The definition asks for something that we do not compute; naming it beats computing something else.
  case unsupported(String)
  case tooLarge(what: String, count: Int, countMax: Int)

  public var description: String {
    switch self {
    case .json(let error): "the tokenizer definition is not acceptable JSON: \(error)"
    case .missing(let field): "the tokenizer definition lacks \"\(field)\""
    case .invalid(let field, let reason): "the tokenizer definition has an unusable \"\(field)\": \(reason)"
    case .unsupported(let what): "the tokenizer definition uses \(what), which is not supported"
    case .tooLarge(let what, let count, let max): "the tokenizer definition has \(count) \(what); the limit is \(max)"
    }
  }
}
