import ArgumentParser
import Foundation
import Synchronization

/// Turns Ctrl-C, and a request to end, into an error, so that what is unfinished is removed on the way out.
///
/// A second one ends the process at once.
final class Interruption: @unchecked Sendable {
  // Sendable because the sources are only kept alive, never used after init.
  private let seen = Atomic<Int32>(0)
  private var sources: [any DispatchSourceSignal] = []

  init() {
    for number in [SIGINT, SIGTERM, SIGHUP] {
      signal(number, SIG_IGN)
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler { [weak self] in
        guard let self, self.seen.exchange(number, ordering: .relaxed) == 0 else { _exit(128 + number) }
      }
      source.resume()
      sources.append(source)
    }
  }

  /// - Throws: the exit status that shells expect, after a line that says so.
  func check() throws {
    let number = seen.load(ordering: .relaxed)
    guard number == 0 else {
      Terminal.note("interrupted; nothing was written")
      throw ExitCode(128 + number)
    }
  }

  /// Ctrl-C as a request to stop: what runs is cancelled and tidies up.
  ///
  /// - Throws: what `body` throws; `CancellationError` after Ctrl-C or SIGTERM.
  static func cancelling<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) async throws -> T {
    let task = Task { try await body() }
    let signals = [SIGINT, SIGTERM]
    // A signal source only sees signals that do not end the process first.
    for number in signals { signal(number, SIG_IGN) }
    let sources = signals.map { number in
      let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
      source.setEventHandler {
        if task.isCancelled { _exit(128 + number) }
        task.cancel()
      }
      source.resume()
      return source
    }
    defer {
      for source in sources { source.cancel() }
      for number in signals { signal(number, SIG_DFL) }
    }
    return try await task.value
  }
}
