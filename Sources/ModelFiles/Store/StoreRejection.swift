/// Why the store does not do what was asked. The asker can mend it.
public enum StoreRejection: Error, Equatable, Sendable, CustomStringConvertible {
  case invalidName(String, problem: String)
  case reservedName(String)
  case unknownModel(String, known: [String])
  /// A hub's repository of which nothing is in the store.
  case notPulled(String)
  case ambiguous(String, candidates: [String])
  case directory(String)
  case embedded(String)
  case damaged(String, problem: String)

  public var description: String {
    switch self {
    case .invalidName(let name, let problem): "\(quoted(name)) is not a model name: \(problem)"
    case .reservedName(let name): "\(quoted(name)) is the name of the built-in model; choose another"
    case .unknownModel(let name, let known):
      "there is no model \(quoted(name)); known: \(known.joined(separator: ", ")). Fetch one with "
        + "`evident pull org/name` or import one with `evident import FOLDER`"
    case .notPulled(let repository):
      "\(repository) is neither a file nor a model in the store; fetch it with `evident pull \(repository)`"
    case .ambiguous(let prefix, let candidates):
      "\(quoted(prefix)) fits several models: \(candidates.joined(separator: ", ")); give more digits"
    case .directory(let path):
      "\(path) is a folder; import it once with `evident import \(path)` and then use its name"
    case .embedded(let name): "\(quoted(name)) is built in and cannot be removed"
    case .damaged(let what, let problem): "\(what) in the model store is damaged: \(problem). Import the model again"
    }
  }
}
