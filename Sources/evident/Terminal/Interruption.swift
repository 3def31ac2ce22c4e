import Foundation
import Synchronization

/// Ctrl-C as a request to stop: what runs is cancelled and tidies up. A second one ends the process at once.
enum Interruption {
  /// `body` starts when the signals are watched: until then a signal ends a process that has made nothing yet.
  ///
  /// - Throws: what `body` throws; `CancellationError` after Ctrl-C or SIGTERM.
  static func cancelling<T: Sendable>(_ body: @escaping @Sendable () async throws -> T) async throws -> T {
    let request = Request()
    let numbers = [SIGINT, SIGTERM]
    var sources: [any DispatchSourceSignal] = []
    for number in numbers { sources.append(await watch(number) { request.stop(number) }) }
    // On Linux the source has put a handler of its own in place, without which it sees nothing; on Darwin it
    // only sees signals that do not end the process first.
    #if canImport(Darwin)
      for number in numbers { signal(number, SIG_IGN) }
    #endif
    defer {
      for source in sources { source.cancel() }
      for number in numbers { signal(number, SIG_DFL) }
    }
    let task = Task { try await body() }
    request.cancels(task)
    return try await task.value
  }

  /// Returns when the source is at work, which a resumed source alone is not.
  private static func watch(
    _ number: Int32, _ handler: @escaping @Sendable () -> Void
  ) async -> any DispatchSourceSignal {
    let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
    source.setEventHandler(handler: handler)
    await withCheckedContinuation { continuation in
      source.setRegistrationHandler { continuation.resume() }
      source.resume()
    }
    return source
  }

  /// What to cancel when a signal comes, which may be before the task is there.
  private final class Request: Sendable {
    private let state = Mutex<(stopped: Bool, cancel: (@Sendable () -> Void)?)>((false, nil))

    func stop(_ number: Int32) {
      let cancel = state.withLock { state in
        if state.stopped { _exit(128 + number) }
        state.stopped = true
        return state.cancel
      }
      cancel?()
    }

    func cancels<T>(_ task: Task<T, any Error>) {
      let stopped = state.withLock { state in
        state.cancel = { task.cancel() }
        return state.stopped
      }
      if stopped { task.cancel() }
    }
  }
}
