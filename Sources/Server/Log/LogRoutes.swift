import Digests
import HTTPTypes
import Hummingbird
import NIOCore
import NIOPosix
import Receipts
import Transparency
import TransparencyLog

/// A log over HTTP: plain files for readers, `POST entries` for nodes, and proofs.
///
/// Source: docs/design/0005-public-record.md, "HTTP"; C2SP tlog-tiles, "Parameters".
struct LogRoutes<Storage: LogStorage>: Sendable {
  let log: LogService<Storage>
  /// Without a slash at its end.
  let prefix: String
  /// Four of the largest bundles, 64 MiB.
  private let bundles = BodyBudget(bytesMax: 4 * TilePath.widthMax * (2 + EntryBundle.entryBytesMax))

  init(log: LogService<Storage>, prefix: String) {
    self.log = log
    self.prefix = prefix
  }

  func add(to router: Router<BasicRequestContext>) {
    router.add(middleware: LogErrors(prefix: prefix))
    for (path, handler) in [("/checkpoint", checkpoint), ("/tile/**", tile), ("/proof/{leaf}", proof)] {
      router.get("\(prefix)\(path)") { request, context in try await handler(request, context) }
      router.head("\(prefix)\(path)") { request, context in
        try await handler(request, context).createHeadResponse()
      }
    }
    router.post("\(prefix)/entries") { request, _ in try await submit(request) }
  }

  @Sendable private func checkpoint(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
    guard let signed = log.view.published else {
      return .line(.notFound, "no checkpoint has been published yet: \(log.view.reason ?? "the log begins")")
    }
    let bytes = signed.bytes
    let compressed = Gzip.isAccepted(request.headers) ? Gzip.compressed(bytes) : nil
    // One tag for each form of the same bytes.
    let tag =
      "\"\(Hex.string(Digest<SignedCheckpoint>(of: bytes).bytes.prefix(16)))\(compressed == nil ? "" : "-gzip")\""
    var headers: HTTPFields = [.cacheControl: "no-cache", .eTag: tag, .vary: "Accept-Encoding"]
    if EntityTag.isNamed(tag, in: request.headers) {
      return Response(status: .notModified, headers: headers)
    }
    headers[.contentType] = "text/plain; charset=utf-8"
    if compressed != nil { headers[.contentEncoding] = "gzip" }
    return Response(
      status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: compressed ?? bytes)))
  }

  @Sendable private func tile(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
    let name = request.uri.path.utf8.dropFirst(prefix.utf8.count + 1)
    let path: TilePath
    do { path = try TilePath(parsing: Array(name)) } catch { return .line(.notFound, error.description) }
    guard let bytes = try await log.tile(path) else { return .line(.notFound, "this log has no \(path)") }
    var headers: HTTPFields = [
      .contentType: "application/octet-stream", .cacheControl: "public, max-age=31536000, immutable",
    ]
    guard path.kind == .entries else {
      // Hashes do not become shorter.
      return Response(status: .ok, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }
    guard let claim = bundles.claim(bytes.count) else {
      var response = Response.line(.serviceUnavailable, "too many bundles are asked for at once; try again")
      response.headers[.retryAfter] = "1"
      return response
    }
    headers[.vary] = "Accept-Encoding"
    var compressed: [UInt8]?
    if Gzip.isAccepted(request.headers) {
      // Not on the threads that every request needs.
      compressed = try await NIOThreadPool.singleton.runIfActive { Gzip.compressed(bytes) }
    }
    if compressed != nil { headers[.contentEncoding] = "gzip" }
    let body = ByteBuffer(bytes: compressed ?? bytes)
    return Response(
      status: .ok, headers: headers,
      body: ResponseBody(contentLength: body.readableBytes) { writer in
        try await claim.write(body, to: &writer)
      })
  }

  @Sendable private func proof(_ request: Request, _ context: BasicRequestContext) async throws -> Response {
    let text = try context.parameters.require("leaf")
    guard text.utf8.count == 64, let leaf = Hex.bytes(text).flatMap({ MerkleHash(bytes: $0) }) else {
      return .line(.badRequest, "a leaf hash is 64 lower-case hex digits: SHA-256 of 0x00 and the entry")
    }
    switch try await log.proof(of: leaf) {
    case .logged(let evidence):
      return Response(
        status: .ok, headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-cache"],
        body: ResponseBody(byteBuffer: ByteBuffer(bytes: evidence.bytes)))
    case .pending(let index, let reason):
      return .json(
        ["status": "pending", "index": .integer(Int(index)), "reason": .string(reason)], status: .accepted)
    case .unknown: return .line(.notFound, "no entry of this log has that leaf hash")
    }
  }

  private func submit(_ request: Request) async throws -> Response {
    var request = request
    let body: ByteBuffer
    do { body = try await request.collectBody(upTo: EntryBundle.entryBytesMax) } catch is NIOTooManyBytesError {
      return .line(.contentTooLarge, "an entry has at most \(EntryBundle.entryBytesMax) bytes")
    }
    do {
      let entry = try await log.submit(Array(body.readableBytesView))
      return .json(["index": .integer(Int(entry.index)), "duplicate": .bool(entry.isDuplicate)])
    } catch let refusal as EntryRefusal { return .refusal(refusal) }
  }
}

extension Response {
  /// One line that says what is wrong.
  static func line(_ status: HTTPResponse.Status, _ text: String) -> Response {
    Response(
      status: status, headers: [.contentType: "text/plain; charset=utf-8"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: text + "\n")))
  }

  fileprivate static func refusal(_ refusal: EntryRefusal) -> Response {
    switch refusal {
    case .form(.tooLong): return .line(.contentTooLarge, refusal.description)
    case .form: return .line(.badRequest, refusal.description)
    case .notAdmitted: return .line(.forbidden, refusal.description)
    case .tooMany(let seconds):
      var response = Response.line(.tooManyRequests, refusal.description)
      response.headers[.retryAfter] = String(seconds)
      return response
    case .unavailable:
      var response = Response.line(.serviceUnavailable, refusal.description)
      response.headers[.retryAfter] = "1"
      return response
    }
  }
}
