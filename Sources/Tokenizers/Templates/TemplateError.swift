/// Why a chat template cannot be read or rendered.
public enum TemplateError: Error, Equatable, Sendable, CustomStringConvertible {
  case syntax(String, line: Int)
  /// The template uses a construct that we do not compute; naming it beats rendering something else.
  case unsupported(String, line: Int)
  /// The template itself refused its input, with `raise_exception`.
  case raised(String)
  /// The template failed on its input, as it would in Jinja.
  case failed(String, line: Int)
  case limit(String, max: Int)

  public var description: String {
    switch self {
    case .syntax(let what, let line): "chat template, line \(line): \(what)"
    case .unsupported(let what, let line): "chat template, line \(line): \(what) is not supported"
    case .raised(let message): "the chat template refuses this conversation: \(message)"
    case .failed(let what, let line): "chat template, line \(line): \(what)"
    case .limit(let what, let max): "the chat template needs more than \(max) \(what)"
    }
  }
}
