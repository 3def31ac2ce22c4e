import Digests
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
import Networking
public import Node
public import ServiceLifecycle
public import TransparencyLog

/// The HTTP server around one node.
public struct ServerApplication: Service {
  private let node: Node
  private let store: ReceiptStore
  private let log: ServedLog
  private let options: ServerOptions
  private let logger: Logger
  private let onListening: @Sendable (_ port: Int) async -> Void

  /// - Parameters:
  ///   - store: where the node keeps what it signs.
  ///   - log: where receipts are logged.
  ///   - onListening: called once with the port, the system's choice where options say 0.
  public init(
    node: Node, store: ReceiptStore, log: ServedLog, options: ServerOptions, logger: Logger,
    onListening: @escaping @Sendable (_ port: Int) async -> Void
  ) {
    self.node = node
    self.store = store
    self.log = log
    self.options = options
    self.logger = logger
    self.onListening = onListening
  }

  /// Runs until the task is cancelled or a graceful shutdown is asked for; streams that are under way
  /// then finish first.
  public func run() async throws {
    let metrics = ServerMetrics()
    let router = Router()
    router.add(middleware: ResponseShape(metrics: metrics))
    GenerationRoutes(node: node, options: options).add(to: router)
    EmbeddingRoutes(node: node, options: options).add(to: router)
    EvidenceRoutes(store: store, log: log.client, node: node).add(to: router)
    InformationRoutes(node: node, metrics: metrics, store: store, log: log).add(to: router)
    if let embedded = log.embedded { LogRoutes(log: embedded, prefix: "/log").add(to: router) }
    let application = Application(
      router: router, server: .http1(configuration: .init(idleTimeout: .seconds(ConnectionLimits.idleSecondsMax))),
      configuration: .init(
        address: .hostname(options.host, port: options.port), serverName: "evident/\(Node.version)",
        availableConnectionsDelegate: MaximumAvailableConnections(ConnectionLimits.connections(atMost: 4096))),
      onServerRunning: { channel in await onListening(channel.localAddress?.port ?? options.port) },
      logger: logger)
    let purge = Task {
      while !Task.isCancelled {
        try await store.purge(now: Int64(Date().timeIntervalSince1970))
        try await Task.sleep(for: .seconds(60))
      }
    }
    defer { purge.cancel() }
    try await application.run()
  }
}

/// The log of a server: its own, someone else's, or none.
public enum ServedLog: Sendable {
  case embedded(LogService<POSIXStorage>)
  case remote(RemoteLog)
  case none

  public var client: (any LogClient)? {
    switch self {
    case .embedded(let log): log
    case .remote(let log): log
    case .none: nil
    }
  }

  public var embedded: LogService<POSIXStorage>? { if case .embedded(let log) = self { log } else { nil } }
}

/// Gives every response a request id, and every error the OpenAI shape.
struct ResponseShape: RouterMiddleware {
  typealias Context = BasicRequestContext
  let metrics: ServerMetrics

  func handle(
    _ request: Request, context: BasicRequestContext,
    next: (Request, BasicRequestContext) async throws -> Response
  ) async throws -> Response {
    var response: Response
    do {
      response = try await next(request, context)
    } catch let error as APIError {
      if error.status == .internalServerError {
        context.logger.error(
          "request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error.message)"])
      }
      response = error.response(from: request, context: context)
    } catch let error as HTTPError where error.status == .notFound {
      response = APIError(
        .notFound, "there is no \(request.method) \(request.uri.path.prefix(200)) here", code: "not_found"
      )
      .response(from: request, context: context)
    } catch let error as HTTPError {
      response = APIError(error.status, error.body ?? error.status.reasonPhrase).response(
        from: request, context: context)
    } catch is CancellationError {
      throw CancellationError()
    } catch {
      context.logger.error("request failed", metadata: ["path": "\(request.uri.path)", "error": "\(error)"])
      response = APIError(.internalServerError, "the server failed; its log says why", type: "server_error")
        .response(from: request, context: context)
    }
    response.headers[.requestID] = context.id
    metrics.countResponse(status: Int(response.status.code))
    // Never the prompt, never the answer.
    context.logger.info(
      "request",
      metadata: ["method": "\(request.method)", "path": "\(request.uri.path)", "status": "\(response.status.code)"])
    return response
  }
}
