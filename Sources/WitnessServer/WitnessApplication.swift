import Digests
import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
public import Logging
import NIOCore
import NIOPosix
import Networking
public import ServiceLifecycle
import Transparency
public import TransparencyLog
public import Witness

/// The HTTP server around one witness: `POST /add-checkpoint` and `GET /{hash of the origin}/checkpoint` (C2SP
/// tlog-witness), `GET /health` and `GET /metrics`.
public struct WitnessApplication<Storage: LogStorage>: Service {
  private let records: WitnessRecords<Storage>
  private let witness: Witness<Storage>?
  private let host: String
  private let port: Int
  private let logger: Logger
  private let onListening: @Sendable (_ port: Int) async -> Void

  /// - Parameters:
  ///   - records: what is served.
  ///   - witness: that adds to them; nil serves them only, as a copy of a witness's folder does.
  ///   - port: 0 lets the system choose.
  ///   - onListening: called once with the port.
  public init(
    records: WitnessRecords<Storage>, witness: Witness<Storage>?, host: String, port: Int, logger: Logger,
    onListening: @escaping @Sendable (_ port: Int) async -> Void
  ) {
    self.records = records
    self.witness = witness
    self.host = host
    self.port = port
    self.logger = logger
    self.onListening = onListening
  }

  /// Runs until the task is cancelled or a graceful shutdown is asked for.
  public func run() async throws {
    let router = Router(options: [.autoGenerateHeadEndpoints])
    let metrics = WitnessMetrics()
    if let witness {
      router.post("/add-checkpoint") { request, context in
        await add(request, to: witness, metrics, context.logger)
      }
    }
    router.get("/{hash}/checkpoint") { request, context in
      try await serve(try context.parameters.require("hash"), request)
    }
    router.get("/health") { _, _ in Response.text(health(metrics).text(), contentType: "application/json") }
    router.get("/metrics") { _, _ in
      let sizes = try await blocking {
        try records.logs.map { log in (log.origin, try records.checkpoint(of: log.origin)?.checkpoint.size ?? 0) }
      }
      return Response.text(
        metrics.prometheusText(sizes), contentType: "text/plain; version=0.0.4; charset=utf-8")
    }
    let application = Application(
      router: router, server: .http1(configuration: .init(idleTimeout: .seconds(ConnectionLimits.idleSecondsMax))),
      configuration: .init(
        address: .hostname(host, port: port), serverName: "evident-witness",
        availableConnectionsDelegate: MaximumAvailableConnections(ConnectionLimits.connections(atMost: 1024))),
      onServerRunning: { channel in await onListening(channel.localAddress?.port ?? port) }, logger: logger)
    try await application.run()
  }

  private func health(_ metrics: WitnessMetrics) -> JSON {
    let cosigning: String
    if witness == nil {
      cosigning = "only the records of a witness are served here"
    } else {
      cosigning = metrics.isFailing ? "a record cannot be read or written; the witness's log says why" : "ok"
    }
    return [
      "status": metrics.isFailing ? "failing" : "ok", "witness": .string(records.verifierKey.description),
      "logs": .integer(records.logs.count), "cosigning": .string(cosigning),
    ]
  }

  private func add(
    _ request: Request, to witness: Witness<Storage>, _ metrics: WitnessMetrics, _ logger: Logger
  ) async -> Response {
    let body: ByteBuffer
    do { body = try await request.body.collect(upTo: AddCheckpointRequest.bytesMax) } catch {
      metrics.countAnswer(status: 413)
      let text = "the request is longer than \(AddCheckpointRequest.bytesMax) bytes, or was cut off\n"
      return .text(text, status: .contentTooLarge)
    }
    do {
      let line = try await blocking {
        let parsed: AddCheckpointRequest
        do throws(AddCheckpointRejection) {
          parsed = try AddCheckpointRequest(parsing: Array(body.readableBytesView))
        } catch { throw AddCheckpointError.refused(.malformed(error)) }
        return try witness.addCheckpoint(parsed)
      }
      metrics.countAnswer(status: 200)
      return Response(
        status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
        body: ResponseBody(byteBuffer: ByteBuffer(bytes: line.line)))
    } catch AddCheckpointError.refused(let refusal) {
      metrics.countAnswer(status: refusal.status)
      logger.notice("refused", metadata: ["status": "\(refusal.status)", "reason": "\(refusal)"])
      if case .conflict(let size) = refusal {
        return .text("\(size)\n", status: .conflict, contentType: "text/x.tlog.size")
      }
      return .text("\(refusal)\n", status: .init(code: refusal.status))
    } catch {
      metrics.countAnswer(status: 500)
      // What the disk says is for the operator alone.
      logger.error("a checkpoint could not be cosigned", metadata: ["error": "\(error)"])
      return .text("the witness failed; its log says why\n", status: .internalServerError)
    }
  }

  private func serve(_ hash: String, _ request: Request) async throws -> Response {
    let found: SignedCheckpoint?
    do { found = try await blocking { try records.checkpoint(originHash: hash) } } catch {
      logger.error("a checkpoint could not be read", metadata: ["error": "\(error)"])
      return .text("the witness failed; its log says why\n", status: .internalServerError)
    }
    guard let found else {
      return .text("no checkpoint of a log with that hash was cosigned here\n", status: .notFound)
    }
    var response = Response(
      status: .ok, headers: [.contentType: "text/plain; charset=utf-8"],
      body: ResponseBody(byteBuffer: ByteBuffer(bytes: found.bytes)))
    // Who watches wants the last one.
    response.headers[.cacheControl] = "no-cache"
    return response
  }

  /// Writing waits for the disk: not on the threads that every request needs.
  private func blocking<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
    try await NIOThreadPool.singleton.runIfActive(body)
  }
}

extension Response {
  static func text(
    _ text: String, status: HTTPResponse.Status = .ok, contentType: String = "text/plain; charset=utf-8"
  ) -> Response {
    Response(
      status: status, headers: [.contentType: contentType], body: ResponseBody(byteBuffer: ByteBuffer(string: text)))
  }
}
