import Foundation
import Synchronization

/// A bar on stderr for work that takes longer than a second; silent where nobody looks.
final class ProgressBar: Sendable {
  private struct State {
    var shownAt = ContinuousClock.Instant?.none
    var finished = false
    /// What was done at moments of the last seconds, oldest first. What was there before the work began
    /// says nothing about its speed.
    var samples: [(at: ContinuousClock.Instant, done: Int)] = []
  }
  private let title: String
  private let unit: @Sendable (Int) -> String
  private let showsRate: Bool
  private let started = ContinuousClock.now
  private let state = Mutex(State())

  private static let window = Duration.seconds(5)

  /// - Parameter showsRate: whether the amount per second is shown too.
  init(_ title: String, showsRate: Bool = false, unit: @escaping @Sendable (Int) -> String = Terminal.bytes) {
    self.title = title
    self.showsRate = showsRate
    self.unit = unit
  }

  /// May be called often, from any thread.
  func update(done: Int, total: Int) {
    guard Terminal.isErrorInteractive, total > 0 else { return }
    let now = ContinuousClock.now
    state.withLock { state in
      guard !state.finished else { return }
      if state.samples.last.map({ now - $0.at > .milliseconds(100) }) ?? true { state.samples.append((now, done)) }
      while state.samples.count > 2, now - state.samples[0].at > ProgressBar.window { state.samples.removeFirst() }
      guard now - started > .seconds(1), state.shownAt.map({ now - $0 > .milliseconds(100) }) ?? true else { return }
      state.shownAt = now
      let permille = min(1000, max(0, done) * 1000 / total)
      let filled = permille * 20 / 1000
      let bar = String(repeating: "█", count: filled) + String(repeating: " ", count: 20 - filled)
      let rate = ProgressBar.rate(since: state.samples[0], done, now)
      let left = rate > 0 ? "\(max(0, total - done) / rate)s" : "…"
      let speed = showsRate ? " \(unit(rate))/s" : ""
      FileHandle.standardError.write(
        Data("\r\u{1B}[2K\(title) \(permille / 10)% ▕\(bar)▏ \(unit(done))/\(unit(total))\(speed) \(left)".utf8))
    }
  }

  /// Units per second.
  private static func rate(
    since sample: (at: ContinuousClock.Instant, done: Int), _ done: Int, _ now: ContinuousClock.Instant
  ) -> Int {
    let elapsed = (now - sample.at).components
    let milliseconds = Int(elapsed.seconds) * 1000 + Int(elapsed.attoseconds / 1_000_000_000_000_000)
    return milliseconds > 0 ? max(0, done - sample.done) * 1000 / milliseconds : 0
  }

  /// A line of text above the bar.
  func note(_ text: String) {
    state.withLock { state in
      if state.shownAt != nil, !state.finished { FileHandle.standardError.write(Data("\r\u{1B}[2K".utf8)) }
      Terminal.note(text)
    }
  }

  func finish() {
    state.withLock { state in
      if state.shownAt != nil, !state.finished { FileHandle.standardError.write(Data("\r\u{1B}[2K".utf8)) }
      state.finished = true
    }
  }
}
