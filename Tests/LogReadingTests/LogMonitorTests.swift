import LogReading
import Receipts
import Synchronization
import Testing
import Transparency
import TransparencyLog

@Suite struct LogMonitorTests {
  /// 2026-03-02T00:00:00Z.
  private static let now: Int64 = 1_772_409_600

  private func monitor(
    _ folder: SampleFolder, _ storage: MemoryStorage = MemoryStorage(),
    _ change: (inout LogMonitor<MemoryStorage>.Rules) -> Void = { _ in }
  ) throws -> LogMonitor<MemoryStorage> {
    var rules = LogMonitor<MemoryStorage>.Rules()
    change(&rules)
    return try LogMonitor(
      FolderSource(folder: folder.path), policy: SampleFolder.policy, rules: rules, storage: storage)
  }

  private func receipts(_ numbers: Range<Int>, of key: NodeSigningKey) throws -> [SignedReceipt] {
    try numbers.map { try SampleReceipts.receipt($0, of: key, loggedBy: "2026-03-01T12:34:56Z") }
  }

  @Test func entriesInTheOwnNameMustBeKnown() async throws {
    let folder = try SampleFolder([])
    let writer = try LogWriter(folder.path)
    let own = try receipts(0..<3, of: SampleReceipts.own)
    let storage = MemoryStorage()
    let known = Set(own.prefix(2).map(\.bytes))
    let rules = { (rules: inout LogMonitor<MemoryStorage>.Rules) in
      rules.nodeKey = SampleReceipts.own.publicKey
      rules.isOwn = { known.contains($0.envelope.bytes) }
    }
    try writer.append((own.prefix(2) + (try receipts(3..<300, of: SampleReceipts.other))).map(\.bytes))
    var watching = try monitor(folder, storage, rules)
    var round = try await watching.look()
    #expect(round.alarms == [] && round.failures == [] && round.entries == 299)
    try writer.append([own[2].bytes])
    // Another process goes on where this one was.
    watching = try monitor(folder, storage, rules)
    round = try await watching.look()
    #expect(round.entries == 1 && round.alarms.map(\.kind) == [.foreignEntry])
    let evidence = try #require(round.alarms.first?.evidence)
    #expect(evidence.map(\.name) == ["entry", "proof"] && evidence[0].bytes == own[2].bytes)
    // Whoever gets it needs nothing else to see that the log has the entry.
    let proof = try InclusionEvidence(parsing: evidence[1].bytes)
    try proof.verify(leaf: .leaf(own[2].bytes), policy: SampleFolder.policy)
    #expect(proof.index == 299)
    #expect(round.alarms.first?.message.contains("entry 299") == true)
  }

  /// The node's server is away: that is neither the log's fault nor the end of the monitor.
  @Test func receiptsThatCannotBeAskedForAreSaid() async throws {
    let folder = try SampleFolder([])
    try LogWriter(folder.path).append(try receipts(0..<1, of: SampleReceipts.own).map(\.bytes))
    let isAway = Mutex(true)
    var watching = try monitor(folder) { rules in
      rules.nodeKey = SampleReceipts.own.publicKey
      rules.isOwn = { _ in
        if isAway.withLock({ $0 }) { throw LogReadError.failed(place: "http://node", reason: "connection refused") }
        return true
      }
    }
    var round = try await watching.look()
    #expect(round.alarms == [] && round.failures.count == 1 && watching.state == nil)
    #expect(round.failures.first?.contains("connection refused") == true)
    isAway.withLock { $0 = false }
    round = try await watching.look()
    #expect(round.alarms == [] && round.failures == [] && round.entries == 1)
  }

  @Test func entriesMustBeSignedStatements() async throws {
    let folder = try SampleFolder([])
    let writer = try LogWriter(folder.path)
    let good = try receipts(0..<1, of: SampleReceipts.own)[0].bytes
    var forged = good
    let at = try #require(good.firstRange(of: Array("\"sig\":\"".utf8))).upperBound
    forged[at] = forged[at] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
    try writer.append([good, forged, Array("anything".utf8), good + [0x20]])
    var watching = try monitor(folder)
    #expect(try await watching.look().alarms.map(\.kind) == [.badEntry, .badEntry, .badEntry])
    var indifferent = try monitor(folder) { $0.areEntriesStatements = false }
    #expect(try await indifferent.look().alarms == [])
  }

  @Test func promisesMustBeKept() async throws {
    let folder = try SampleFolder([])
    let writer = try LogWriter(folder.path)
    let kept = try receipts(0..<300, of: SampleReceipts.own)
    let broken = try SampleReceipts.receipt(900, of: SampleReceipts.own, loggedBy: "2026-03-01T23:59:59Z")
    let later = try SampleReceipts.receipt(901, of: SampleReceipts.own, loggedBy: "2026-03-02T00:00:00Z")
    try writer.append(kept.map(\.bytes))
    var watching = try monitor(folder)
    var promised = try [kept[7], kept[299], broken, later].map { try PromisedReceipt(name: "r", $0.bytes) }
    #expect(try await watching.checkPromises(&promised, now: Self.now).alarms == [])
    _ = try await watching.look()
    for _ in 0..<2 {
      let round = try await watching.checkPromises(&promised, now: Self.now)
      #expect(round.alarms.map(\.kind) == [.brokenPromise] && round.failures == [])
      #expect(round.alarms.first?.evidence.first?.bytes == broken.bytes)
      #expect(promised.map(\.receipt) == [broken, later])
    }
    #expect(try await watching.checkPromises(&promised, now: Self.now + 1).alarms.count == 2)
    try writer.append([later.bytes])
    _ = try await watching.look()
    #expect(try await watching.checkPromises(&promised, now: Self.now + 1).alarms.count == 1)
    // A log that hides entries from this search contradicts its own root.
    let tile = try folder.bytes("tile/0/000")
    try folder.write(Array(tile.reversed()), "tile/0/000")
    #expect(try await watching.checkPromises(&promised, now: Self.now + 1).alarms.map(\.kind) == [.damaged])
    var unsigned = broken.bytes
    let at = try #require(unsigned.firstRange(of: Array("\"sig\":\"".utf8))).upperBound
    unsigned[at] = unsigned[at] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
    #expect(throws: MonitorFailure.self) { try PromisedReceipt(name: "r", unsigned) }
  }

  /// A state that cannot be kept is no state: the entries are looked at again.
  @Test func nothingIsPassedOver() async throws {
    let folder = try SampleFolder([300])
    let storage = FullStorage()
    var rules = LogMonitor<FullStorage>.Rules()
    rules.areEntriesStatements = false
    var watching = try LogMonitor(
      FolderSource(folder: folder.path), policy: SampleFolder.policy, rules: rules, storage: storage)
    await #expect(throws: StorageFailure.self) { try await watching.look() }
    #expect(watching.state == nil)
    storage.isFull.withLock { $0 = false }
    #expect(try await watching.look().entries == 300)
    let path = try #require(storage.path.withLock { $0 })
    let honest = try #require(try storage.inner.read(path))
    for at in [0, 30, honest.count / 2, honest.count - 1] {
      var damaged = honest
      damaged[at] ^= 1
      try storage.inner.write([StoredFile(path: path, bytes: damaged)])
      // A changed signature line is read; it is not what the state stands on.
      let isTree = at < 120
      let reads =
        (try? LogMonitor(
          FolderSource(folder: folder.path), policy: SampleFolder.policy, rules: rules, storage: storage)) != nil
      #expect(!isTree || !reads, "byte \(at)")
    }
  }
}

extension LogMonitor {
  /// Of a look in several rounds, all of them together.
  mutating func look() async throws -> (alarms: [MonitorAlarm], failures: [String], entries: UInt64) {
    var all: (alarms: [MonitorAlarm], failures: [String], entries: UInt64) = ([], [], 0)
    try await look { round, _ in
      all.alarms += round.alarms
      all.failures += round.failures
      all.entries += round.entries
    }
    return all
  }
}

/// A storage that is full at first.
private final class FullStorage: LogStorage {
  let inner = MemoryStorage()
  let isFull = Mutex(true)
  let path = Mutex<String?>(nil)

  func read(_ path: String) throws(StorageFailure) -> [UInt8]? { try inner.read(path) }

  func write(_ files: [StoredFile]) throws(StorageFailure) {
    path.withLock { $0 = files.first?.path }
    guard !isFull.withLock({ $0 }) else {
      throw StorageFailure(action: "write", path: files.first?.path ?? "", reason: "No space left on device")
    }
    try inner.write(files)
  }

  func removeFolder(_ path: String) throws(StorageFailure) { try inner.removeFolder(path) }
}
