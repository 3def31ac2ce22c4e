import Foundation

/// Ctrl-C as a request to stop: what runs is cancelled and tidies up. A second one ends the process at once.
enum Interruption {
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
