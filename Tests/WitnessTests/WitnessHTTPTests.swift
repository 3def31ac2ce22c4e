import AsyncHTTPClient
import Digests
import Foundation
import Logging
import NIOCore
import NIOHTTP1
import Synchronization
import TestSupport
import Testing
import Transparency
import TransparencyLog
import Witness
import WitnessServer

/// A witness behind its HTTP server, while `body` runs.
private func serving<Storage: LogStorage>(
  _ witness: Witness<Storage>, _ body: (_ url: String) async throws -> Void
) async throws { try await serving(witness.records, witness, body) }

/// Records, and what can be added to them.
private func serving<Storage: LogStorage>(
  _ records: WitnessRecords<Storage>, _ witness: Witness<Storage>? = nil, _ body: (_ url: String) async throws -> Void
) async throws {
  let (ports, announce) = AsyncStream.makeStream(of: Int.self)
  var logger = Logger(label: "test")
  logger.logLevel = .critical
  let application = WitnessApplication(records: records, witness: witness, host: "127.0.0.1", port: 0, logger: logger) {
    announce.yield($0)
  }
  try await withThrowingTaskGroup(of: Void.self) { group in
    group.addTask { try await application.run() }
    var iterator = ports.makeAsyncIterator()
    let port = try #require(await iterator.next())
    try await body("http://127.0.0.1:\(port)")
    group.cancelAll()
  }
}

private struct Answer {
  let status: Int
  let type: String?
  let body: [UInt8]
  var text: String { String(decoding: body, as: UTF8.self) }
}

private func ask(
  _ url: String, posting body: [UInt8]? = nil, method: String? = nil
) async throws -> Answer {
  var request = HTTPClientRequest(url: url)
  request.method = .init(rawValue: method ?? (body == nil ? "GET" : "POST"))
  if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
  let response = try await HTTPClient.shared.execute(request, timeout: .seconds(30))
  let bytes = Array(try await response.body.collect(upTo: 1 << 20).readableBytesView)
  return Answer(status: Int(response.status.code), type: response.headers.first(name: "Content-Type"), body: bytes)
}

@Suite struct WitnessHTTPTests {
  @Test func theProtocolIsSpoken() async throws {
    let witness = try Sample.witness(MemoryStorage())
    try await serving(witness) { url in
      let path = url + "/" + Sample.logs[0].originHash + "/checkpoint"
      #expect(try await ask(path).status == 404)
      let first = try Sample.request(from: 0, to: 20)
      var answer = try await ask(url + "/add-checkpoint", posting: first.bytes)
      #expect(answer.status == 200)
      // As the specification proposes: what came, put under the checkpoint, is a note that verifies.
      let keys = [Sample.signer.verifierKey, witness.records.verifierKey]
      let signed = try SignedCheckpoint(parsing: first.signed.bytes + answer.body)
      #expect(try signed.verified(by: keys).cosignatures.count == 1)
      answer = try await ask(path)
      #expect(answer.status == 200 && answer.body == signed.bytes && answer.type == "text/plain; charset=utf-8")
      #expect(try await ask(path, method: "HEAD").status == 200)
      answer = try await ask(url + "/add-checkpoint", posting: Sample.request(from: 3, to: 30).bytes)
      #expect(answer.status == 409 && answer.text == "20\n" && answer.type == "text/x.tlog.size")
      let fork = try Sample.request(from: 20, to: 30, of: Sample.fork)
      #expect(try await ask(url + "/add-checkpoint", posting: fork.bytes).status == 422)
      #expect(try await ask(url + "/add-checkpoint", posting: Sample.request(from: 20, to: 30).bytes).status == 200)
      for place in ["/checkpoint", "/", "/\(Sample.logs[1].originHash)/checkpoint", "/x/checkpoint", "/../witness.key"]
      {
        #expect(try await ask(url + place).status == 404, "\(place)")
      }
      #expect(try await ask(url + "/add-checkpoint").status == 404)
      let metrics = try await ask(url + "/metrics").text
      #expect(
        metrics.contains("answers_total{status=\"200\"} 2") && metrics.contains("answers_total{status=\"409\"} 1"))
      #expect(metrics.contains("log_size{log=\"log.example/a\"} 30"))
      let health = try await ask(url + "/health")
      #expect(health.status == 200 && health.type == "application/json")
      #expect(health.text.contains("\"status\":\"ok\"") && health.text.contains("\(witness.records.verifierKey)"))
    }
  }

  /// What the disk does not take is no fault of who asks, and its operator can see it.
  @Test func aFailingDiskIsSeenFromOutside() async throws {
    let storage = FullStorage()
    try await serving(try Sample.witness(storage)) { url in
      func health() async throws -> String { try await ask(url + "/health").text }
      let request = try Sample.request(from: 0, to: 20).bytes
      storage.isFull.withLock { $0 = true }
      #expect(try await ask(url + "/add-checkpoint", posting: request).status == 500)
      #expect(try await health().contains("\"status\":\"failing\""))
      // Who asks for something wrong does not mend it.
      #expect(try await ask(url + "/add-checkpoint", posting: []).status == 400)
      #expect(try await health().contains("\"status\":\"failing\""))
      storage.isFull.withLock { $0 = false }
      #expect(try await ask(url + "/add-checkpoint", posting: request).status == 200)
      #expect(try await health().contains("\"cosigning\":\"ok\""))
    }
  }

  @Test func malformedRequestsAreRefused() async throws {
    try await serving(try Sample.witness(MemoryStorage())) { url in
      let good = String(decoding: try Sample.request(from: 20, to: 30).bytes, as: UTF8.self)
      let hash = MerkleHash.emptyRoot.base64 + "\n"
      let note = String(decoding: try Sample.checkpoint(30).bytes, as: UTF8.self)
      let bad = [
        "", "\n", "old", "old 20", "old 20\n", "old 20\n\n", "old 020\n\n" + note, "old -1\n\n" + note,
        "old 9223372036854775808\n\n" + note, "old 20 \n\n" + note, "Old 20\n\n" + note, "old 20\r\n\r\n" + note,
        "old 20\nx\n\n" + note, "old 20\n" + hash + note, "old 20\n" + String(repeating: hash, count: 64) + "\n" + note,
        "old 20\n\n" + note.dropLast(), "old 20\n\n" + note.replacing("\n30\n", with: "\n030\n"),
        "old 20\n\n" + note.replacing("\n30\n", with: "\n30\nextension\n").replacing(" ", with: "  "),
        good.replacing("old 20", with: "old 31"),
      ]
      for text in bad {
        #expect(try await ask(url + "/add-checkpoint", posting: Array(text.utf8)).status == 400, "\(text)")
      }
      let long = [UInt8](repeating: UInt8(ascii: "a"), count: AddCheckpointRequest.bytesMax + 1)
      #expect(try await ask(url + "/add-checkpoint", posting: long).status == 413)
      #expect(try await ask(url + "/add-checkpoint", posting: Array(good.utf8)).status == 409)
    }
  }

  /// The consistency proofs of transparency-dev/merkle, good and bad, each to a log of its own.
  @Test(.enabled(if: TestFiles.environment("EVIDENT_SHARED") != nil, "EVIDENT_SHARED is unset"))
  func proofsAreJudgedAsTheVectorsSay() async throws {
    let folder = try #require(TestFiles.environment("EVIDENT_SHARED")) + "/vectors/tlog/merkle/consistency"
    let files = try TestFiles.files(below: folder).filter { $0.hasSuffix(".json") }
    #expect(files.count == 98)
    let signers = try files.indices.map {
      try NoteSigner(
        name: ByteText("vector-\($0).example"), seed: [UInt8](repeating: 0, count: 31) + [UInt8(truncatingIfNeeded: $0)]
      )
    }
    let policy = signers.map { "log \($0.verifierKey)\n" }.joined() + "quorum none\n"
    let logs = WitnessedLog.logs(of: try TrustPolicy(parsing: Array(policy.utf8)))
    let witness = try Witness(signer: Sample.cosigner, logs: logs, storage: MemoryStorage()) { Sample.time }
    var cosigned = 0
    try await serving(witness) { url in
      for (file, signer) in zip(files, signers) {
        let vector = try #require(ConsistencyVector(try TestFiles.bytes(folder + "/" + file)), "\(file)")
        // What no checkpoint can say is refused before a witness sees it.
        guard let (old, new) = vector.checkpoints(signer) else {
          #expect(vector.isWrong, "\(file)")
          continue
        }
        let first = try AddCheckpointRequest(oldSize: 0, hashes: [], signed: old)
        let isBegun = try await ask(url + "/add-checkpoint", posting: first.bytes).status == 200
        #expect(isBegun != old.checkpoint.isImpossible, "\(file)")
        let bytes = Array(("old \(old.checkpoint.size)\n" + vector.proof.map { $0 + "\n" }.joined() + "\n").utf8)
        let status = try await ask(url + "/add-checkpoint", posting: bytes + new.bytes).status
        // From the empty tree there is nothing to prove, so a witness takes what a proof's verifier does not.
        let isFromNothing = old.checkpoint.size == 0 && vector.proof.isEmpty && !new.checkpoint.isImpossible
        #expect((status == 200) == (!vector.isWrong || isFromNothing), "\(file): \(status)")
        #expect([200, 400, 422].contains(status), "\(file): \(status)")
        if status == 200 { cosigned += 1 }
      }
    }
    print("witness: \(files.count) vectors, \(cosigned) cosigned")
    #expect(cosigned >= 5)
  }

  /// What Sunlight's witnesses have cosigned is a folder of records that ours serves byte by byte.
  @Test(
    .enabled(if: TestFiles.environment("EVIDENT_SHARED") != nil, "EVIDENT_SHARED is unset"),
    arguments: [("witness", "rome2026h1.example.org"), ("witness2", "milan2026h1.example.org")])
  func othersRecordsAreServed(_ name: String, _ origin: String) async throws {
    let shared = try #require(TestFiles.environment("EVIDENT_SHARED")) + "/vectors/tlog/witness/" + name
    let folder = TemporaryFolder()
    try FileManager.default.copyItem(atPath: shared, toPath: folder.path)
    let description = String(decoding: try TestFiles.bytes(shared + "/witness.v0.json"), as: UTF8.self)
    let vkey = try #require(description.split(separator: "\"").first { $0.contains("+") }.map(String.init))
    let key = try NoteVerifierKey(vkey)
    let log = try NoteSigner(name: ByteText(origin), seed: [UInt8](repeating: 1, count: 32))
    let logs = WitnessedLog.logs(of: try TrustPolicy(parsing: Array("log \(log.verifierKey)\nquorum none\n".utf8)))
    let storage = try POSIXStorage(root: folder.path)
    // Their secret key is theirs: only reading works with their public one.
    let records = try WitnessRecords(verifierKey: key, logs: logs, storage: storage)
    let hash = WitnessedLog.hash(of: ByteText(origin))
    let file = try TestFiles.bytes(shared + "/" + hash + "/checkpoint")
    try await serving(records) { url in
      let answer = try await ask(url + "/" + hash + "/checkpoint")
      #expect(answer.status == 200 && answer.body == file)
      // Among them files of the folder that nobody may have.
      for other in ["", "/mirror", "/mirror/\(hash)", "/..", "/witness.v0.json", "/\(hash.uppercased())"] {
        #expect(try await ask(url + other + "/checkpoint").status == 404, "\(other)")
      }
      #expect(try await ask(url + "/add-checkpoint", posting: []).status == 404)
    }
  }
}

/// A storage that is full for a while.
private final class FullStorage: LogStorage {
  let isFull = Mutex(false)
  private let inner = MemoryStorage()

  func read(_ path: String) throws(StorageFailure) -> [UInt8]? { try inner.read(path) }
  func removeFolder(_ path: String) throws(StorageFailure) { try inner.removeFolder(path) }
  func write(_ files: [StoredFile]) throws(StorageFailure) {
    guard !isFull.withLock({ $0 }) else {
      throw StorageFailure(action: "write", path: files.first?.path ?? "", reason: "No space left on device")
    }
    try inner.write(files)
  }
}

/// A vector whose numbers and bytes may be impossible.
private struct ConsistencyVector {
  let isWrong: Bool
  let proof: [String]
  private let json: [String: String]

  init?(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    isWrong = text.contains("\"wantErr\": true")
    func field(_ name: String) -> String? {
      guard let range = text.firstRange(of: "\"\(name)\": ") else { return nil }
      return String(text[range.upperBound...].prefix { $0 != "\n" && $0 != "," })
    }
    var json: [String: String] = [:]
    for name in ["size1", "size2", "root1", "root2"] { json[name] = field(name)?.filter { $0 != "\"" } }
    guard json.count == 4, let start = text.firstRange(of: "\"proof\": ") else { return nil }
    self.json = json
    let rest = text[start.upperBound...]
    let list = rest.hasPrefix("[") ? rest.dropFirst().prefix { $0 != "]" } : ""
    proof = list.split(separator: ",").filter { $0.contains("\"") }.map { $0.filter { $0 != "\"" && !$0.isWhitespace } }
  }

  /// Nil if one of them is no checkpoint.
  func checkpoints(_ signer: NoteSigner) -> (SignedCheckpoint, SignedCheckpoint)? {
    func signed(_ size: String, _ root: String) -> SignedCheckpoint? {
      guard let size = UInt64(json[size] ?? ""), let text = json[root], let bytes = Base64.bytes(text) else {
        return nil
      }
      let hash = bytes.starts(with: "don't care".utf8) ? MerkleHash.leaf(bytes) : MerkleHash(bytes: bytes)
      guard let hash, let checkpoint = try? Checkpoint(origin: signer.verifierKey.name, size: size, root: hash) else {
        return nil
      }
      return try? SignedCheckpoint(checkpoint, signatures: [signer.sign(checkpoint)])
    }
    guard let old = signed("size1", "root1"), let new = signed("size2", "root2") else { return nil }
    return (old, new)
  }
}
