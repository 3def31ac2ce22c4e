import Digests
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
import Networking
import Node
public import ServiceLifecycle
import Transparency
public import TransparencyLog

/// The HTTP server of a log that stands alone.
public struct LogApplication<Storage: LogStorage>: Service {
  private let log: LogService<Storage>
  private let host: String
  private let port: Int
  private let logger: Logger
  private let onListening: @Sendable (_ port: Int) async -> Void

  public init(
    log: LogService<Storage>, host: String, port: Int, logger: Logger,
    onListening: @escaping @Sendable (_ port: Int) async -> Void
  ) {
    self.log = log
    self.host = host
    self.port = port
    self.logger = logger
    self.onListening = onListening
  }

  public func run() async throws {
    let router = Router(options: .autoGenerateHeadEndpoints)
    let metrics = ServerMetrics()
    router.add(middleware: ResponseShape(metrics: metrics))
    LogRoutes(log: log, prefix: "").add(to: router)
    let log = log
    router.get("/health") { _, _ in
      var health = JSONObject()
      health["status"] = "ok"
      health["version"] = .string(Node.version)
      health.add(log)
      return Response.json(.object(health))
    }
    router.get("/metrics") { _, _ in
      var text = PrometheusText()
      metrics.add(to: &text)
      text.add(log)
      return Response.metrics(text)
    }
    let (host, port, onListening) = (host, port, onListening)
    let application = Application(
      router: router, server: .http1(configuration: .init(idleTimeout: .seconds(ConnectionLimits.idleSecondsMax))),
      configuration: .init(
        address: .hostname(host, port: port), serverName: "evident/\(Node.version)",
        // Some 45 KB each: with them a log of a million entries stays within 150 MB.
        availableConnectionsDelegate: MaximumAvailableConnections(ConnectionLimits.connections(atMost: 1024))),
      onServerRunning: { channel in await onListening(channel.localAddress?.port ?? port) }, logger: logger)
    try await application.run()
  }
}

extension Response {
  static func metrics(_ text: PrometheusText) -> Response {
    Response(
      status: .ok, headers: [.contentType: "text/plain; version=0.0.4; charset=utf-8"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: text.text)))
  }
}
