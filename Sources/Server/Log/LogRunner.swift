public import ServiceLifecycle
public import TransparencyLog

/// A log as a service: a graceful shutdown writes what waits, and ends it.
public struct LogRunner<Storage: LogStorage>: Service {
  private let log: LogService<Storage>

  public init(_ log: LogService<Storage>) { self.log = log }

  public func run() async throws {
    let log = log
    try await withGracefulShutdownHandler {
      try await log.run()
    } onGracefulShutdown: {
      log.close()
    }
  }
}
