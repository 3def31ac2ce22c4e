import Foundation

/// A line on stderr while something of unknown length takes longer than a second.
enum Waiting {
  static func during<T>(_ what: String, _ body: () throws -> T) rethrows -> T {
    guard Terminal.isErrorInteractive else { return try body() }
    let started = ContinuousClock.now
    let queue = DispatchQueue(label: "evident.waiting")
    let timer = DispatchSource.makeTimerSource(queue: queue)
    timer.schedule(deadline: .now() + 1, repeating: 1)
    timer.setEventHandler {
      let seconds = (ContinuousClock.now - started).components.seconds
      FileHandle.standardError.write(Data("\r\u{1B}[2K\(what) … \(seconds)s".utf8))
    }
    timer.resume()
    defer {
      timer.cancel()
      // A line that is being written comes before the one that clears it.
      queue.sync {}
      if ContinuousClock.now - started > .seconds(1) { FileHandle.standardError.write(Data("\r\u{1B}[2K".utf8)) }
    }
    return try body()
  }
}
