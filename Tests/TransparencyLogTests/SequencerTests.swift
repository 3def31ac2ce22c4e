import Synchronization
import Testing
import Transparency
import TransparencyLog

@Suite struct SequencerTests {
  private func entries(_ range: Range<Int>) -> [[UInt8]] { range.map { Array("entry \($0)".utf8) } }

  @Test func aNewLogHasTheEmptyCheckpoint() throws {
    let storage = MemoryStorage()
    let sequencer = try Audit.open(storage)
    #expect(sequencer.size == 0 && sequencer.latest.checkpoint.root == .emptyRoot)
    #expect(try storage.read(".latest") == sequencer.latest.bytes && storage.read("checkpoint") == nil)
    #expect(try Audit.entries(of: storage).isEmpty)
  }

  @Test func batchesOfEverySizeAreServed() throws {
    let storage = MemoryStorage()
    var sequencer = try Audit.open(storage)
    var size = 0
    for count in [1, 1, 253, 1, 1, 255, 256, 257, 512, 1000, 3, 65_000] {
      let placed = try sequencer.append(entries(size..<(size + count)))
      #expect(placed.map(\.index) == (UInt64(size)..<UInt64(size + count)).map { $0 })
      size += count
      // Opened again it is the same log, and goes on from either.
      let again = try Audit.open(storage)
      #expect(again.latest == sequencer.latest && again.size == UInt64(size))
      if count % 2 == 0 { sequencer = again }
    }
    #expect(try Audit.entries(of: storage) == entries(0..<size))
    let tree = TileTree(size: UInt64(size), source: StorageTiles(storage: storage))
    let root = sequencer.latest.checkpoint.root
    for index in [0, 255, 256, 65_535, 65_536, size - 1] {
      try tree.inclusionProof(of: UInt64(index)).verify(leaf: .leaf(Array("entry \(index)".utf8)), root: root)
    }
  }

  @Test func duplicatesGetTheFirstIndex() throws {
    let storage = MemoryStorage()
    var sequencer = try Audit.open(storage)
    let placed = try sequencer.append(entries(0..<3) + entries(1..<4) + entries(3..<4))
    #expect(placed.map(\.index) == [0, 1, 2, 1, 2, 3, 3])
    #expect(placed.map(\.isDuplicate) == [false, false, false, true, true, false, true])
    let latest = sequencer.latest
    #expect(try sequencer.append(entries(0..<4)).allSatisfy(\.isDuplicate))
    #expect(try sequencer.latest == latest && sequencer.index(of: .leaf(Array("entry 2".utf8))) == 2)
    var again = try Audit.open(storage)
    #expect(try again.append(entries(2..<5)).map(\.index) == [2, 3, 4])
    #expect(try Audit.entries(of: storage) == entries(0..<5))
  }

  @Test func impossibleEntriesChangeNothing() throws {
    var sequencer = try Audit.open(MemoryStorage())
    for entry in [[], [UInt8](repeating: 0, count: 65_536)] {
      #expect(throws: LogFailure.self) { try sequencer.append([[1], entry]) }
    }
    let large = (0..<300).map { [UInt8](repeating: UInt8($0 & 255), count: 60_000 + $0) }
    #expect(throws: LogFailure.self) { try sequencer.append(large) }
    #expect(sequencer.size == 0)
    #expect(try sequencer.append([[1], [UInt8](repeating: 0, count: 65_535)]).count == 2)
  }

  /// Each single write fails once, before it has written anything and after half of its files: the log stops, and
  /// opened again it has all that was promised, and goes on.
  @Test func everyFailedWriteIsSurvived() throws {
    for fatal in 0..<18 {
      for half in [false, true] {
        let storage = FailingStorage(after: fatal, half: half)
        var promised: [(UInt64, [UInt8])] = []
        let failure = writeUntilFailure(storage) { promised.append(($0, $1)) }
        #expect(failure.contains("No space left on device"))
        storage.repair()
        var sequencer = try Audit.open(storage)
        #expect(sequencer.size >= UInt64(promised.count))
        _ = try sequencer.append(entries(100_000..<100_123))
        let stored = try Audit.entries(of: storage)
        for (index, entry) in promised { #expect(stored[Int(index)] == entry, "write \(fatal), entry \(index)") }
      }
    }
  }

  /// Appends batches of 200 until a write fails.
  ///
  /// - Returns: the failure's words.
  private func writeUntilFailure(_ storage: FailingStorage, _ promise: (UInt64, [UInt8]) -> Void) -> String {
    do {
      var sequencer = try Audit.open(storage)
      for start in stride(from: 0, to: 100_000, by: 200) {
        let batch = entries(start..<(start + 200))
        for (entry, bytes) in zip(try sequencer.append(batch), batch) { promise(entry.index, bytes) }
      }
      return "no write has failed"
    } catch { return error.description }
  }

  @Test func aStoppedLogStaysStopped() throws {
    let storage = FailingStorage(after: 1, half: false)
    var sequencer = try Audit.open(storage)
    #expect(throws: LogFailure.self) { try sequencer.append(entries(0..<1)) }
    storage.repair()
    #expect { try sequencer.append(entries(0..<1)) } throws: { "\($0)".contains("stopped") }
  }

  @Test func damageIsNamedAndNeverRepaired() throws {
    let storage = MemoryStorage()
    var sequencer = try Audit.open(storage)
    _ = try sequencer.append(entries(0..<300))
    for path in ["tile/0/001.p/44", "tile/1/000.p/1", "tile/entries/001.p/44", ".latest"] {
      let honest = try #require(try storage.read(path))
      for damaged in [Array(honest.dropLast()), [honest[0] ^ 1] + honest.dropFirst(), []] {
        try storage.write([StoredFile(path: path, bytes: damaged)])
        #expect(throws: LogFailure.self, "\(path)") { try Audit.open(storage) }
      }
      try storage.write([StoredFile(path: path, bytes: honest)])
    }
    let pending = try #require(try storage.read(".pending"))
    for damaged in [[], [0], Array(pending.dropLast()), pending + [0]] {
      try storage.write([StoredFile(path: ".pending", bytes: damaged)])
      #expect(throws: LogFailure.self) { try Audit.open(storage) }
    }
    try storage.write([StoredFile(path: ".pending", bytes: pending)])
    let other = try NoteSigner(name: "log.example/killed", seed: [UInt8](repeating: 7, count: 32))
    #expect { try Audit.open(storage, other) } throws: { "\($0)".contains("not this log's") }
    #expect(try Audit.open(storage).size == 300)
  }
}

/// A storage whose n-th write fails, and every one after it.
private final class FailingStorage: LogStorage {
  private let inner = MemoryStorage()
  private let left: Mutex<Int>
  private let half: Bool

  init(after count: Int, half: Bool) {
    left = Mutex(count)
    self.half = half
  }

  func repair() { left.withLock { $0 = .max } }

  func read(_ path: String) throws(StorageFailure) -> [UInt8]? { try inner.read(path) }

  func removeFolder(_ path: String) throws(StorageFailure) { try inner.removeFolder(path) }

  func write(_ files: [StoredFile]) throws(StorageFailure) {
    let fails = left.withLock { count in
      defer { count -= count == 0 ? 0 : 1 }
      return count == 0
    }
    let written = !fails ? files : half ? Array(files.prefix(files.count / 2)) : []
    for file in written where file.path.hasPrefix("tile/") {
      // What anyone may have seen never changes, published or not.
      if let before = try inner.read(file.path) { #expect(before == file.bytes, "\(file.path) has changed") }
    }
    try inner.write(written)
    guard fails else { return }
    throw StorageFailure(action: "write", path: files.first?.path ?? "", reason: "No space left on device")
  }
}
