import LogReading
import Testing
import Transparency

@Suite struct LogLookupTests {
  @Test func whatIsThereIsFoundAndNothingElse() async throws {
    let folder = try SampleFolder([3, 297, 400])
    let lookup = LogLookup(FolderSource(folder: folder.path))
    let signed = try SignedCheckpoint(parsing: folder.bytes("checkpoint"))
    let places: [UInt64] = [0, 255, 256, 699]
    let leaves = places.map { MerkleHash.leaf(Array("entry \($0)".utf8)) }
    let result = try await lookup.find(Set(leaves + [MerkleHash.leaf(Array("another".utf8))]))
    #expect(result.proofs.count == places.count && result.signed == signed)
    for (leaf, index) in zip(leaves, places) {
      let proof = try #require(result.proofs[leaf])
      #expect(proof.index == index)
      try proof.verify(leaf: leaf, root: signed.checkpoint.root)
    }
  }

  /// A leaf that is another, or is not read, would make an absence of it that is none.
  @Test func nothingIsAbsentFromALogThatDoesNotAddUp() async throws {
    let folder = try SampleFolder([3, 297, 400])
    var tile = try folder.bytes("tile/0/001")
    tile[40] ^= 1
    try folder.write(tile, "tile/0/001")
    let lookup = LogLookup(FolderSource(folder: folder.path))
    await #expect(throws: LogFinding.self) { try await lookup.find([]) }
    try folder.remove("tile/0/001")
    await #expect(throws: LogFinding.self) { try await lookup.find([]) }
  }
}
