import Foundation
import Synchronization

/// A bar on stderr for work that takes longer than a second; silent where nobody looks.
final class ProgressBar: Sendable {
  private struct State {
    var shownAt = ContinuousClock.Instant?.none
    var finished = false
  }
  private let title: String
  private let unit: @Sendable (Int) -> String
  private let started = ContinuousClock.now
  private let state = Mutex(State())

  init(_ title: String, unit: @escaping @Sendable (Int) -> String = Terminal.bytes) {
    self.title = title
    self.unit = unit
  }

  /// May be called often, from any thread.
  func update(done: Int, total: Int) {
    guard Terminal.isErrorInteractive, total > 0 else { return }
    let now = ContinuousClock.now
    guard now - started > .seconds(1) else { return }
    state.withLock { state in
      guard !state.finished, state.shownAt.map({ now - $0 > .milliseconds(100) }) ?? true else { return }
      state.shownAt = now
      let permille = min(1000, done * 1000 / total)
      let filled = permille * 20 / 1000
      let bar = String(repeating: "█", count: filled) + String(repeating: " ", count: 20 - filled)
      let left = done > 0 ? Int((now - started).components.seconds) * (total - done) / done : 0
      FileHandle.standardError.write(
        Data("\r\u{1B}[2K\(title) \(permille / 10)% ▕\(bar)▏ \(unit(done))/\(unit(total)) \(left)s".utf8))
    }
  }

  func finish() {
    state.withLock { state in
      if state.shownAt != nil { FileHandle.standardError.write(Data("\r\u{1B}[2K".utf8)) }
      state.finished = true
    }
  }
}
