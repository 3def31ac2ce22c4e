public import Digests

/// Why a tokenizer definition is refused.
public enum TokenizerError: Error, Equatable, Sendable, CustomStringConvertible {
  case json(JSONError)
  case missing(field: String)
  /// A member of a vocabulary document that is not what its specification says.
  case document(FieldError)
  /// The bytes of a vocabulary document are not its canonical form.
  case notCanonical
  case invalid(field: String, reason: String)
  /// The definition asks for something that we do not compute; naming it beats computing something else.
  case unsupported(String)
  case tooLarge(what: String, count: Int, countMax: Int)

  public var description: String {
    switch self {
    case .json(let error): "the tokenizer definition is not acceptable JSON: \(error)"
    case .missing(let field): "the tokenizer definition lacks \"\(field)\""
    case .document(let error): "the vocabulary document is not acceptable: \(error)"
    case .notCanonical: "the vocabulary document is not canonical JSON; write it again with the tool that made it"
    case .invalid(let field, let reason): "the tokenizer definition has an unusable \"\(field)\": \(reason)"
    case .unsupported(let what): "the tokenizer definition uses \(what), which is not supported"
    case .tooLarge(let what, let count, let max): "the tokenizer definition has \(count) \(what); the limit is \(max)"
    }
  }
}
