/// What a log tells its operator when it happens. Readers and nodes are told less: what the disk says is not theirs.
public enum LogEvent: Sendable, Equatable, CustomStringConvertible {
  /// A write has failed; no entries are taken until one succeeds.
  case stopped(reason: String)
  case resumed
  /// The newest checkpoint is not published, and why; it is tried again.
  case publishingWaits(reason: String)
  case publishingGoesOn

  public var description: String {
    switch self {
    case .stopped(let reason): "the log takes no entries: \(reason)"
    case .resumed: "the log takes entries again"
    case .publishingWaits(let reason): "the log's newest entries are not published: \(reason)"
    case .publishingGoesOn: "the log's newest entries are published"
    }
  }

  /// Whether someone has to do something.
  public var isTrouble: Bool {
    switch self {
    case .stopped, .publishingWaits: true
    case .resumed, .publishingGoesOn: false
    }
  }
}
