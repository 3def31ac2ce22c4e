import Synchronization
import Testing
import Transparency
import TransparencyLog
import Witness

@Suite struct WitnessTests {
  @Test func growthIsCosigned() throws {
    let storage = MemoryStorage()
    let witness = try Sample.witness(storage)
    #expect(try witness.records.checkpoint(of: Sample.signer.verifierKey.name) == nil)
    for (old, new) in [(0, 0), (0, 1), (1, 1), (1, 7), (7, 256), (256, 257), (257, 600)] as [(UInt64, UInt64)] {
      let request = try Sample.request(from: old, to: new)
      let line = try witness.addCheckpoint(request)
      let cosigned = try request.signed.adding([line])
      let keys = [Sample.signer.verifierKey, witness.records.verifierKey]
      #expect(try cosigned.verified(by: keys).cosignatures.map(\.timestamp) == [Sample.time])
      // What monitors get, also after a new start.
      for reader in [witness, try Sample.witness(storage)] {
        #expect(try reader.records.checkpoint(originHash: Sample.logs[0].originHash) == cosigned)
      }
    }
    #expect(try witness.records.checkpoint(of: Sample.otherLog.verifierKey.name) == nil)
    #expect(try witness.refusal(Sample.request(from: 0, to: 3, signer: Sample.otherLog)) == nil)
    #expect(try witness.records.checkpoint(of: Sample.signer.verifierKey.name)?.checkpoint.size == 600)
  }

  @Test func whatIsNotGrowthIsRefused() throws {
    let witness = try Sample.witness(MemoryStorage())
    func expect(_ status: Int, _ request: AddCheckpointRequest, line: Int = #line) throws {
      #expect(try witness.refusal(request)?.status == status, "line \(line)")
    }
    let good = try Sample.request(from: 0, to: 20)
    let empty = try Checkpoint(origin: "log.example/a", size: 0, root: Sample.tree.root)
    let impossible = try SignedCheckpoint(empty, signatures: [Sample.signer.sign(empty)])
    try expect(422, try AddCheckpointRequest(oldSize: 0, hashes: [], signed: impossible))
    try expect(422, try AddCheckpointRequest(oldSize: 0, hashes: [.emptyRoot], signed: good.signed))
    try expect(409, try Sample.request(from: 1, to: 20))
    try expect(400, try Sample.request(from: 30, to: 20))
    #expect(try witness.refusal(good) == nil)
    // The last size is 20 now.
    #expect(try witness.refusal(Sample.request(from: 0, to: 30)) == .conflict(size: 20))
    #expect(try witness.refusal(Sample.request(from: 10, to: 30)) == .conflict(size: 20))
    try expect(409, try Sample.request(from: 0, to: 0))
    try expect(409, try AddCheckpointRequest(oldSize: 0, hashes: [], signed: impossible))
    try expect(400, try Sample.request(from: 20, to: 19))
    try expect(409, try Sample.request(from: 19, to: 19))
    try expect(422, try Sample.request(from: 20, to: 20, of: Sample.fork))
    try expect(422, try Sample.request(from: 20, to: 30, of: Sample.fork))
    let honest = try Sample.request(from: 20, to: 30)
    for at in honest.hashes.indices {
      var hashes = honest.hashes
      hashes[at] = .node(hashes[at], hashes[at])
      try expect(422, try AddCheckpointRequest(oldSize: 20, hashes: hashes, signed: honest.signed))
      hashes.remove(at: at)
      try expect(422, try AddCheckpointRequest(oldSize: 20, hashes: hashes, signed: honest.signed))
    }
    try expect(422, try AddCheckpointRequest(oldSize: 20, hashes: honest.hashes + [.emptyRoot], signed: honest.signed))
    try expect(422, try AddCheckpointRequest(oldSize: 20, hashes: [.emptyRoot], signed: good.signed))
    // Nothing of this has changed anything.
    #expect(try witness.records.checkpoint(of: "log.example/a")?.checkpoint == good.signed.checkpoint)
    #expect(try witness.refusal(honest) == nil)
  }

  @Test func signaturesAreAskedForFirst() throws {
    let witness = try Sample.witness(MemoryStorage())
    let checkpoint = try Sample.checkpoint(20).checkpoint
    func status(_ signatures: [NoteSignature], _ checkpoint: Checkpoint) throws -> Int? {
      let signed = try SignedCheckpoint(checkpoint, signatures: signatures)
      // An old size that would be a conflict is no answer to someone who is not the log.
      return try witness.refusal(AddCheckpointRequest(oldSize: 7, hashes: [], signed: signed))?.status
    }
    let good = Sample.signer.sign(checkpoint)
    let stranger = try NoteSigner(name: "log.example/a", seed: [UInt8](repeating: 66, count: 32))
    #expect(try status([good], checkpoint) == 409)
    #expect(try status([stranger.sign(checkpoint), good], checkpoint) == 409)
    #expect(try status([stranger.sign(checkpoint)], checkpoint) == 403)
    #expect(try status([Sample.otherLog.sign(checkpoint)], checkpoint) == 403)
    #expect(try status([Sample.cosigner.cosign(checkpoint, timestamp: 1)], checkpoint) == 403)
    // A line in the name of a known key that it did not sign, also beside a good one.
    let wrong = Sample.signer.sign(try Sample.checkpoint(21).checkpoint)
    #expect(try status([wrong], checkpoint) == 403)
    #expect(try status([good, wrong], checkpoint) == 403)
    let unknown = try Checkpoint(origin: "log.example/c", size: 20, root: checkpoint.root)
    #expect(try status([Sample.signer.sign(unknown)], unknown) == 404)
  }

  /// Several keys of one origin: either is enough, and both lines are kept if both have signed.
  @Test func aLogMayChangeItsKey() throws {
    let second = try NoteSigner(name: "log.example/a", seed: [UInt8](repeating: 5, count: 32))
    let lines = "log \(Sample.signer.verifierKey)\nlog \(second.verifierKey)\nquorum none\n"
    let logs = WitnessedLog.logs(of: try TrustPolicy(parsing: Array(lines.utf8)))
    #expect(logs.count == 1 && logs[0].keys.count == 2)
    let storage = MemoryStorage()
    let witness = try Witness(signer: Sample.cosigner, logs: logs, storage: storage) { Sample.time }
    #expect(try witness.refusal(Sample.request(from: 0, to: 5)) == nil)
    #expect(try witness.refusal(Sample.request(from: 5, to: 9, signer: second)) == nil)
    // The old key is no longer known: its record still is.
    let later = WitnessedLog.logs(of: try TrustPolicy(parsing: Array("log \(second.verifierKey)\nquorum none\n".utf8)))
    let again = try Witness(signer: Sample.cosigner, logs: later, storage: storage) { Sample.time }
    #expect(try again.refusal(Sample.request(from: 0, to: 9, signer: second)) == .conflict(size: 9))
    #expect(try again.refusal(Sample.request(from: 9, to: 12))?.status == 403)
  }

  /// The proof of a fork is kept beside the record, once.
  @Test func forksAreKept() throws {
    let storage = MemoryStorage()
    let witness = try Sample.witness(storage)
    let folder = Sample.logs[0].originHash
    #expect(try witness.refusal(Sample.request(from: 0, to: 20)) == nil)
    #expect(try storage.read(folder + "/fork-refused") == nil)
    #expect(try witness.refusal(Sample.request(from: 3, to: 20, of: Sample.fork))?.status == 409)
    let cosigned = try SignedCheckpoint(parsing: try #require(try storage.read(folder + "/fork-cosigned")))
    let refused = try SignedCheckpoint(parsing: try #require(try storage.read(folder + "/fork-refused")))
    #expect(cosigned.checkpoint.size == refused.checkpoint.size && cosigned.checkpoint.root != refused.checkpoint.root)
    for signed in [cosigned, refused] { _ = try signed.verified(by: [Sample.signer.verifierKey]) }
  }

  @Test func repetitionsWithinASecondWriteNothing() throws {
    let storage = CountingStorage()
    let now = Mutex(Sample.time)
    let witness = try Witness(signer: Sample.cosigner, logs: Sample.logs, storage: storage) { now.withLock { $0 } }
    let first = try witness.addCheckpoint(Sample.request(from: 0, to: 9))
    for _ in 0..<100 { #expect(try witness.addCheckpoint(Sample.request(from: 9, to: 9)) == first) }
    #expect(storage.writes == 1)
    now.withLock { $0 += 1 }
    #expect(try witness.addCheckpoint(Sample.request(from: 9, to: 9)) != first)
    #expect(storage.writes == 2)
  }

  /// A record that is not this witness's is never taken for nothing.
  @Test func damagedRecordsStopTheWitness() throws {
    let storage = MemoryStorage()
    #expect(try Sample.witness(storage).refusal(Sample.request(from: 0, to: 20)) == nil)
    let path = Sample.logs[0].originHash + "/checkpoint"
    let honest = try #require(try storage.read(path))
    let other = try CosignatureSigner(name: "w.example/w", seed: [UInt8](repeating: 8, count: 32))
    let stolen = try Sample.checkpoint(20)
    var changed = honest
    changed[20] ^= 1
    for bytes in [
      [], Array(honest.dropLast()), changed, stolen.bytes,
      try stolen.adding([other.cosign(stolen.checkpoint, timestamp: 1)]).bytes,
    ] {
      try storage.write([StoredFile(path: path, bytes: bytes)])
      #expect { try Sample.witness(storage) } throws: { "\($0)".contains("not this witness's") }
    }
    try storage.write([StoredFile(path: path, bytes: honest)])
    #expect(try Sample.witness(storage).refusal(Sample.request(from: 0, to: 20)) == .conflict(size: 20))
  }

  /// Both histories at once from many threads: one of them is cosigned.
  @Test func racesHaveOneWinner() async throws {
    for _ in 0..<20 {
      let witness = try Sample.witness(MemoryStorage())
      #expect(try witness.refusal(Sample.request(from: 0, to: 5)) == nil)
      let won = try await withThrowingTaskGroup(of: Int?.self) { group in
        for i in 0..<16 {
          let tree = i % 2 == 0 ? Sample.tree : Sample.fork
          let request = try Sample.request(from: 5, to: UInt64(11 + i / 2), of: tree)
          group.addTask { try witness.refusal(request) == nil ? i % 2 : nil }
        }
        return try await group.reduce(into: [Int]()) { if let winner = $1 { $0.append(winner) } }
      }
      #expect(won.count == 1)
    }
  }
}

/// Counts its writes.
private final class CountingStorage: LogStorage {
  private let inner = MemoryStorage()
  private let count = Mutex(0)
  var writes: Int { count.withLock { $0 } }

  func read(_ path: String) throws(StorageFailure) -> [UInt8]? { try inner.read(path) }
  func removeFolder(_ path: String) throws(StorageFailure) { try inner.removeFolder(path) }
  func write(_ files: [StoredFile]) throws(StorageFailure) {
    count.withLock { $0 += 1 }
    try inner.write(files)
  }
}
