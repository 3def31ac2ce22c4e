import Foundation
import Synchronization
import TransparencyLog

/// System calls of which one fails, the n-th that writes, synchronises or renames.
final class FaultySystemCalls: Sendable {
  enum Fault: CaseIterable {
    /// Nothing of a write fits any more.
    case diskFull
    /// Half of a write fits, and then nothing.
    case shortWrite
    /// The disk reports that what was written may not be there.
    case notSynchronised
    case notRenamed

    var isOfWrite: Bool { self == .diskFull || self == .shortWrite }
  }

  private struct State {
    var left: Int
    var isFull = false
    var hasFailed = false
  }
  private let fault: Fault
  private let state: Mutex<State>

  /// - Parameter count: of calls of the fault's kind that still succeed.
  init(_ fault: Fault, after count: Int) {
    self.fault = fault
    state = Mutex(State(left: count))
  }

  var hasFailed: Bool { state.withLock { $0.hasFailed } }

  var calls: SystemCalls {
    SystemCalls(
      write: { [self] descriptor, bytes, count in
        if state.withLock({ $0.isFull }) { return fail(ENOSPC) }
        guard fault.isOfWrite, isDue() else { return SystemCalls.system.write(descriptor, bytes, count) }
        state.withLock { $0.isFull = true }
        guard fault == .shortWrite, count > 1 else { return fail(ENOSPC) }
        return SystemCalls.system.write(descriptor, bytes, count / 2)
      },
      fsync: { [self] in
        guard fault == .notSynchronised, isDue() else { return SystemCalls.system.fsync($0) }
        return CInt(fail(EIO))
      },
      rename: { [self] in
        guard fault == .notRenamed, isDue() else { return SystemCalls.system.rename($0, $1) }
        return CInt(fail(ENOSPC))
      })
  }

  private func isDue() -> Bool {
    state.withLock {
      $0.left -= 1
      if $0.left == -1 { $0.hasFailed = true }
      return $0.left == -1
    }
  }

  private func fail(_ code: CInt) -> Int {
    errno = code
    return -1
  }
}
