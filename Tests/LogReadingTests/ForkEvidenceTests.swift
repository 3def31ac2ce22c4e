import Digests
import LogReading
import Testing
import Transparency
import TransparencyLog

/// That what an alarm about a fork comes with is enough for someone who has seen neither log.
@Suite struct ForkEvidenceTests {
  private func monitor(_ source: any LogSource, _ storage: MemoryStorage) throws -> LogMonitor<MemoryStorage> {
    var rules = LogMonitor<MemoryStorage>.Rules()
    rules.areEntriesStatements = false
    return try LogMonitor(source, policy: SampleFolder.policy, rules: rules, storage: storage)
  }

  /// A log of `shared` entries that another one has, and then others.
  private func fork(_ shared: Int, _ size: Int) throws -> SampleFolder {
    let folder = try SampleFolder([])
    try LogWriter(folder.path).append(
      (0..<size).map { Array("entry \($0 < shared ? "" : "of another ")\($0)".utf8) })
    return folder
  }

  /// Judges the evidence as a third party, from nothing but it.
  private func isProof(_ alarm: MonitorAlarm) throws -> Bool {
    var items: [String: [UInt8]] = [:]
    for item in alarm.evidence { items[item.name] = item.bytes }
    let both = try ["known", "seen"].map { try SignedCheckpoint(parsing: #require(items[$0])) }
      .sorted { $0.checkpoint.size < $1.checkpoint.size }
    for signed in both { _ = try signed.verified(by: [SampleFolder.signer.verifierKey]) }
    let (old, new) = (both[0].checkpoint, both[1].checkpoint)
    guard let beginning = items["beginning"] else { return old.size == new.size && old.root != new.root }
    let hashes = beginning.split(separator: 0x0A).compactMap { MerkleHash(base64: $0) }
    let proof = ConsistencyProof(oldSize: old.size, newSize: new.size, hashes: Array(hashes.dropFirst()))
    return hashes[0] != old.root && (try? proof.verify(oldRoot: hashes[0], newRoot: new.root)) != nil
  }

  @Test(arguments: [(5, 6), (4, 6), (8, 9), (255, 256), (256, 300), (300, 700), (5, 5)])
  func twoSizesAreShownToExcludeEachOther(old: Int, new: Int) async throws {
    let (honest, storage) = (try SampleFolder([old]), MemoryStorage())
    var watching = try monitor(FolderSource(folder: honest.path), storage)
    #expect(try await watching.look().alarms == [])
    // The same address shows another history.
    let other = try fork(old - 2, new)
    var later = try monitor(Elsewhere(place: honest.path, inner: FolderSource(folder: other.path)), storage)
    let alarms = try await later.look().alarms
    #expect(alarms.map(\.kind) == [.fork])
    #expect(try isProof(try #require(alarms.first)))
    // Two addresses; the one that shows more has the tiles.
    var elsewhere = try monitor(FolderSource(folder: other.path), MemoryStorage())
    _ = try await elsewhere.look()
    let known = try #require(watching.state)
    let compared = await elsewhere.compare(known.signed, from: honest.path)
    #expect(compared.alarms.map(\.kind) == [.fork] && compared.notes == [])
    #expect(try isProof(try #require(compared.alarms.first)))
  }

  /// Tiles that fit neither checkpoint show nothing to others, and the alarm does not pretend that they do.
  @Test func withoutTilesTheAlarmSaysWhatIsNotShown() async throws {
    let (honest, storage) = (try SampleFolder([5]), MemoryStorage())
    var watching = try monitor(FolderSource(folder: honest.path), storage)
    _ = try await watching.look()
    let other = try fork(3, 6)
    try other.write([UInt8](repeating: 1, count: 6 * 32), "tile/0/000.p/6")
    var later = try monitor(Elsewhere(place: honest.path, inner: FolderSource(folder: other.path)), storage)
    for isThere in [true, false] {
      if !isThere { try other.remove("tile/0/000.p/6") }
      let alarm = try #require(try await later.look().alarms.first)
      #expect(alarm.kind == .fork && alarm.evidence.map(\.name) == ["known", "seen"])
      #expect(alarm.message.contains("the checkpoints alone do not show that to others"))
    }
  }

  /// A larger tree elsewhere, whose tiles this log does not have.
  @Test func whatCannotBeComparedYetSaysWhy() async throws {
    let honest = try SampleFolder([5])
    var watching = try monitor(FolderSource(folder: honest.path), MemoryStorage())
    _ = try await watching.look()
    let larger = try SampleFolder([6])
    let seen = try SignedCheckpoint(parsing: larger.bytes("checkpoint"))
    let round = await watching.compare(seen, from: "http://w.example")
    #expect(round.alarms == [] && round.failures == [] && round.notes.count == 1)
    let note = try #require(round.notes.first)
    #expect(note.contains("shows 5 entries") && note.contains("http://w.example has 6"))
    #expect(note.contains("tile/0/000.p/6: it is missing") && !note.contains("fetched"))
  }
}
