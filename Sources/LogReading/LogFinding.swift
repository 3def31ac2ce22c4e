/// What is wrong with one file of a log.
public struct LogFinding: Error, Equatable, Sendable, CustomStringConvertible {
  /// Below the log's prefix.
  public let path: String
  public let problem: String
  /// Whether it could not be read, by no fault of the log: then nothing is known about it.
  public let isUnread: Bool

  init(_ path: String, _ problem: String) {
    self.path = path
    self.problem = problem
    isUnread = false
  }

  /// - Parameter error: a ``LogReader/Problem``, or the end of the task.
  init(_ path: String, _ error: any Error) {
    self.path = path
    switch error {
    case let problem as LogReader.Problem:
      self.problem = problem.description
      isUnread = if case .read = problem { true } else { false }
    default: (self.problem, isUnread) = ("it was not read: \(error)", true)
    }
  }

  public var description: String { "\(path): \(problem)" }
}
