import TestSupport
import Testing
import Transparency

/// What Sunlight's witness and mirror serve.
@Suite(.enabled(if: TestFiles.vectors != nil, "EVIDENT_SHARED is unset: the vectors of other projects are not at hand"))
struct WitnessFixtureTests {
  static let witness = "witness.example.org+b8a2cf20+BFLN3yikSfFkVAJtrnh/CiY3Zozkoy7clp+P7XB28qUN"
  static let witness2 = "witness2.example.org+2e55b896+BIZ7fpceQWd60IfqQeS9IAnmNOCZjMDne8lZuguz/bi9"
  static let mirror = "mirror.example.org+3fb148ef+BAAjjch9GyYz0sJsJx7ALhbdAtz2ov0unbzSl1vMp94O"
  static let rome = "000de184301123b9278c086a7d9f68c9577e83872224c197058fd90784ea9706"
  static let milan = "88ad7a28caeb0b2aa890fdf0304c2fcaf59fca2ee140134ff8c1300bac493482"

  private static func file(_ path: String) throws -> [UInt8] {
    try TestFiles.bytes(try #require(TestFiles.vectors) + "/witness/" + path)
  }

  @Test func allFilesAreThere() throws {
    let files = try TestFiles.files(below: try #require(TestFiles.vectors) + "/witness").filter { $0 != "LICENSE" }
    #expect(files.count == 13)
  }

  /// The published keys are those in the witnesses' own descriptions.
  @Test(arguments: [
    ("witness/witness.v0.json", witness), ("witness2/witness.v0.json", witness2),
    ("witness/mirror/mirror.v0.json", mirror),
  ])
  func keysAreRead(_ path: String, _ vkey: String) throws {
    #expect(String(decoding: try Self.file(path), as: UTF8.self).contains("\"\(vkey)\""))
    let key = try NoteVerifierKey(vkey)
    #expect(key.kind == .cosignature && key.description == vkey)
  }

  @Test(arguments: [
    ("witness/\(rome)/checkpoint", witness, 2), ("witness2/\(milan)/checkpoint", witness2, 1),
    ("witness/mirror/\(rome)/checkpoint", mirror, 1),
  ])
  func cosignaturesVerify(_ path: String, _ vkey: String, _ lines: Int) throws {
    let bytes = try Self.file(path)
    let signed = try SignedCheckpoint(parsing: bytes)
    #expect(signed.bytes == bytes && signed.note.signatures.count == lines && signed.checkpoint.size == 300)
    let key = try NoteVerifierKey(vkey)
    // The log's own signature is of a type (RFC 6962) that we do not read: an unknown key, which is ignored.
    let verified = try signed.note.verified(by: [key])
    #expect(verified.map(\.key) == [key])
    #expect(verified.first?.timestamp == 1_767_139_200)
    #expect(throws: CheckpointRejection.notSigned(origin: signed.checkpoint.origin)) {
      try signed.verified(by: [key])
    }
    // One bit of the text, of the time and of the signature.
    let base64 = try #require(bytes.lastIndex(of: UInt8(ascii: " "))) + 1
    for at in [0, base64 + 14, bytes.count - 40] {
      var damaged = bytes
      damaged[at] ^= 1
      #expect(throws: (any Error).self) { try SignedCheckpoint(parsing: damaged).note.verified(by: [key]) }
    }
  }

  @Test func decoysAreNoCheckpoints() throws {
    for path in ["witness/checkpoint", "witness/mirror/checkpoint"] {
      #expect(throws: CheckpointRejection.self) { try SignedCheckpoint(parsing: try Self.file(path)) }
    }
  }

  /// 300 leaves in two tiles of level 0 and one of level 1. The bundles are, in the fixture, words in gzip.
  @Test func theMirrorsTilesAddUpToItsCheckpoint() throws {
    let folder = "witness/mirror/\(Self.rome)/"
    let signed = try SignedCheckpoint(parsing: try Self.file(folder + "checkpoint"))
    var source = FetchedTiles()
    for path in ["tile/0/000", "tile/0/001.p/44", "tile/1/000.p/1"] {
      source.bytes[try TilePath(path)] = try Self.file(folder + path)
    }
    let tree = TileTree(size: 300, source: source)
    #expect(try tree.root() == signed.checkpoint.root)
    for index in [UInt64(0), 1, 127, 255, 256, 299] {
      try tree.inclusionProof(of: index).verify(leaf: try tree.leaf(at: index), root: signed.checkpoint.root)
    }
    let leaves = try (0..<UInt64(300)).map { try tree.leaf(at: $0) }
    let own = MerkleTree(leaves: leaves)
    #expect(own.root == signed.checkpoint.root)
    for old in UInt64(1)...300 {
      try tree.consistencyProof(from: old).verify(oldRoot: own.root(at: old), newRoot: signed.checkpoint.root)
    }
    var appender = TileAppender()
    for tile in appender.append(leaves) { #expect(source.bytes[tile.path] == tile.bytes, "\(tile.path)") }
    for (path, width) in [("tile/entries/000", 256), ("tile/entries/001.p/44", 44)] {
      #expect(throws: TileRejection.self) {
        try EntryBundle(parsing: try Self.file(folder + path), width: width)
      }
    }
  }
}
