import Foundation
import Receipts
public import Transparency

/// What a node promises about each of its statements: in which log it will be, and how soon.
public struct LogPromise: Sendable {
  public let log: NoteVerifierKey
  public let withinSeconds: Int

  public init(log: NoteVerifierKey, withinSeconds: Int) {
    self.log = log
    self.withinSeconds = withinSeconds
  }

  /// The promise of a statement that is signed now.
  func given(at date: Date) -> Statement.Promise {
    Statement.Promise(log: log, loggedBy: Node.timestamp(date + TimeInterval(withinSeconds)))
  }
}
