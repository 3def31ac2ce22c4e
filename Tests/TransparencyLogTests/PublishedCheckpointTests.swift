import Testing
import Transparency
import TransparencyLog

@Suite struct PublishedCheckpointTests {
  private func entries(_ range: Range<Int>) -> [[UInt8]] { range.map { Array("entry \($0)".utf8) } }

  private func open(
    _ storage: MemoryStorage, _ latest: SignedCheckpoint
  ) throws(LogFailure) -> PublishedCheckpoint<MemoryStorage> {
    try PublishedCheckpoint(storage: storage, log: Audit.signer.verifierKey, latest: latest.checkpoint)
  }

  @Test func itFollowsAtADistance() throws {
    let storage = MemoryStorage()
    var sequencer = try Audit.open(storage)
    var published = try open(storage, sequencer.latest)
    #expect(published.signed == nil)
    _ = try sequencer.append(entries(0..<300))
    let first = sequencer.latest
    _ = try sequencer.append(entries(300..<700))
    try published.publish(first)
    #expect(try storage.read("checkpoint") == first.bytes)
    // Whoever opens it finds the same, and each of the two says what it says.
    #expect(try open(storage, sequencer.latest).signed == first)
    #expect(try Audit.entries(of: storage, at: "checkpoint") == entries(0..<300))
    #expect(try Audit.entries(of: storage) == entries(0..<700))
    // The same with a witness under it.
    let witness = try CosignatureSigner(name: "witness", seed: [UInt8](repeating: 3, count: 32))
    try published.publish(first.adding([witness.cosign(first.checkpoint, timestamp: 7)]))
    #expect(try open(storage, sequencer.latest).signed?.note.signatures.count == 2)
  }

  @Test func partialTilesGoWhenTheFullOneIsPublished() throws {
    let storage = MemoryStorage()
    var sequencer = try Audit.open(storage)
    var published = try open(storage, sequencer.latest)
    _ = try sequencer.append(entries(0..<200))
    let first = sequencer.latest
    try published.publish(first)
    _ = try sequencer.append(entries(200..<600))
    // A reader of the published checkpoint still needs them.
    #expect(try storage.read("tile/0/000.p/200") != nil && storage.read("tile/entries/000.p/200") != nil)
    try published.publish(sequencer.latest)
    #expect(try storage.read("tile/0/000.p/200") == nil && storage.read("tile/entries/000.p/200") == nil)
    #expect(try storage.read("tile/0/002.p/88") != nil && storage.read("tile/1/000.p/2") != nil)
    let tree = TileTree(size: 200, source: StorageTiles(storage: storage))
    try tree.inclusionProof(of: 150).verify(leaf: .leaf(Array("entry 150".utf8)), root: first.checkpoint.root)
    #expect(try Audit.entries(of: storage, at: "checkpoint") == entries(0..<600))
  }

  @Test func whatDoesNotFitTheLogIsRefused() throws {
    let storage = MemoryStorage()
    var sequencer = try Audit.open(storage)
    var published = try open(storage, sequencer.latest)
    let empty = sequencer.latest
    _ = try sequencer.append(entries(0..<10))
    try published.publish(sequencer.latest)
    // Behind what was published: an old copy of `.latest`.
    #expect { try open(storage, empty) } throws: { "\($0)".contains("10 entries") }
    // Without `.latest` nobody knows what was signed.
    let copy = MemoryStorage()
    try copy.write([StoredFile(path: "checkpoint", bytes: sequencer.latest.bytes)])
    #expect { try Audit.open(copy) } throws: { "\($0)".contains(".latest") }
    // Another tree's checkpoint, signed by the same key.
    let forged = try Checkpoint(origin: Audit.signer.verifierKey.name, size: 10, root: .emptyRoot)
    let signed = try SignedCheckpoint(forged, signatures: [Audit.signer.sign(forged)])
    try storage.write([StoredFile(path: "checkpoint", bytes: signed.bytes)])
    #expect { try open(storage, sequencer.latest) } throws: { "\($0)".contains("root") }
  }
}
