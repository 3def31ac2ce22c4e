import Foundation
import HTTPTypes
import Hummingbird
import LogReading
import Logging
import NIOCore
import Synchronization
import Testing
import Transparency

/// A log behind a web server that misbehaves as it is told.
private final class MoodyServer: Sendable {
  enum Mood: Sendable { case well, status(HTTPResponse.Status), endless }

  let requests = Mutex<[String]>([])
  /// For the next requests.
  let moods = Mutex<[Mood]>([])

  func serving(_ folder: String, _ body: (_ url: String) async throws -> Void) async throws {
    let (ports, announce) = AsyncStream.makeStream(of: Int.self)
    let router = Router()
    router.get("/log/**") { request, _ in
      let path = String(request.uri.path.dropFirst(5))
      self.requests.withLock { $0.append(path) }
      switch self.moods.withLock({ $0.isEmpty ? Mood.well : $0.removeFirst() }) {
      case .status(let status): return Response(status: status)
      case .endless:
        let chunk = ByteBuffer(repeating: 97, count: 1 << 20)
        let body = ResponseBody { writer in
          // Far beyond any limit, and no length is announced.
          for _ in 0..<200 { try await writer.write(chunk) }
          try await writer.finish(nil)
        }
        return Response(status: .ok, body: body)
      case .well:
        guard let data = FileManager.default.contents(atPath: folder + "/" + path) else {
          return Response(status: .notFound)
        }
        return Response(status: .ok, body: ResponseBody(byteBuffer: ByteBuffer(bytes: data)))
      }
    }
    var logger = Logger(label: "test")
    logger.logLevel = .critical
    let application = Application(
      router: router, configuration: .init(address: .hostname("127.0.0.1", port: 0)),
      onServerRunning: { announce.yield($0.localAddress?.port ?? 0) }, logger: logger)
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await application.run() }
      var iterator = ports.makeAsyncIterator()
      try await body("http://127.0.0.1:\(try #require(await iterator.next()))/log")
      group.cancelAll()
    }
  }
}

@Suite struct HTTPSourceTests {
  @Test func aServedLogIsReadWhole() async throws {
    let folder = try SampleFolder([3, 700])
    let server = MoodyServer()
    try await server.serving(folder.path) { url in
      for address in [url, url + "/"] {
        let report = try await LogFsck(HTTPSource(address), policy: SampleFolder.policy).run()
        #expect(report.exitStatus == 0 && report.audit.entries == 703, "\(report.audit.findings)")
      }
      try folder.remove("tile/entries/001")
      let report = try await LogFsck(HTTPSource(url), policy: SampleFolder.policy).run()
      #expect(report.exitStatus == 1 && report.audit.findings.map(\.path) == ["tile/entries/001"])
    }
    #expect(!server.requests.withLock { $0.contains { $0.hasPrefix(".") } })
  }

  @Test func failuresAreRepeatedAndThenNamed() async throws {
    let folder = try SampleFolder([3])
    let server = MoodyServer()
    try await server.serving(folder.path) { url in
      let source = try HTTPSource(url, retriesMax: 2, pause: 0.001)
      let checkpoint = try folder.bytes("checkpoint")
      server.moods.withLock { $0 = [.status(.serviceUnavailable), .status(.tooManyRequests)] }
      #expect(try await source.read("checkpoint", bytesMax: 1000) == checkpoint)
      #expect(server.requests.withLock { $0.count } == 3)
      server.moods.withLock { $0 = [.status(.badGateway), .status(.badGateway), .status(.badGateway)] }
      await #expect { try await source.read("checkpoint", bytesMax: 1000) } throws: { "\($0)".contains("HTTP 502") }
      server.moods.withLock { $0 = [.status(.forbidden)] }
      await #expect { try await source.read("checkpoint", bytesMax: 1000) } throws: { "\($0)".contains("HTTP 403") }
      #expect(server.requests.withLock { $0.count } == 7)
      #expect(try await source.read("nothing", bytesMax: 1000) == nil)
      for mood in [MoodyServer.Mood.well, .endless] {
        server.moods.withLock { $0 = [mood] }
        await #expect(throws: LogReadError.tooLong(path: "checkpoint", bytesMax: 50)) {
          try await source.read("checkpoint", bytesMax: 50)
        }
      }
    }
    // Nobody listens any more: nothing is known, and that is what is said.
    let gone = try HTTPSource("http://127.0.0.1:9/log", retriesMax: 1, pause: 0.001)
    let report = try await LogFsck(gone, policy: SampleFolder.policy).run()
    #expect(report.exitStatus == 2 && report.audit.findings.map(\.isUnread) == [true])
  }

  @Test func onlyAddressesAreAddresses() throws {
    for text in ["ftp://log.example", "http://", "http://log.example/?x=1", "https://log.example/#x"] {
      #expect(throws: LogReadError.self) { try LogPlace.source(text) }
    }
    #expect(try LogPlace.source("https://log.example/log/").place == "https://log.example/log")
    #expect(try LogPlace.source(".") is FolderSource)
    for text in ["./no such folder", #filePath] {
      #expect(throws: LogReadError.self) { try LogPlace.source(text) }
    }
  }
}
