import TestSupport
import Testing
import Transparency

/// A log that Tessera wrote, at every size from 0 to 15.
@Suite(.enabled(if: TestFiles.vectors != nil, "EVIDENT_SHARED is unset: the vectors of other projects are not at hand"))
struct TesseraFixtureTests {
  /// The key pair is published with the log: Tessera's testdata/build_log.sh.
  static let verifierKey = try! NoteVerifierKey(
    "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx")
  static let secretKey =
    "PRIVATE+KEY+example.com/log/testdata+33d7b496+AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg"

  private static func file(_ path: String) throws -> [UInt8] {
    try TestFiles.bytes(try #require(TestFiles.vectors) + "/tessera/log/" + path)
  }

  private static func checkpoint(_ size: UInt64) throws -> SignedCheckpoint {
    let signed = try SignedCheckpoint(parsing: try file("checkpoint.\(size)"))
    #expect(try signed.verified(by: [verifierKey]).log == verifierKey)
    #expect(signed.checkpoint.size == size)
    return signed
  }

  @Test func allFilesAreThere() throws {
    let files = try TestFiles.files(below: try #require(TestFiles.vectors) + "/tessera/log")
    #expect(files.count == 47)
    #expect(files.filter { $0.hasPrefix("checkpoint") }.count == 17)
    for file in files where file.hasPrefix("tile/") { #expect(try TilePath(file).description == file) }
  }

  @Test func itsKeysAreReadAndWritten() throws {
    #expect(Self.verifierKey.description.hasSuffix("AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx"))
    #expect(try NoteSigner(Self.secretKey).verifierKey == Self.verifierKey)
  }

  /// Ed25519 is deterministic: the same key must give the same file.
  @Test func ourSignaturesAreTheirs() throws {
    let signer = try NoteSigner(Self.secretKey)
    for size in 0...UInt64(15) {
      let checkpoint = try Self.checkpoint(size).checkpoint
      let ours = try SignedCheckpoint(checkpoint, signatures: [signer.sign(checkpoint)])
      #expect(try ours.bytes == Self.file("checkpoint.\(size)"))
    }
    #expect(try Self.file("checkpoint") == Self.file("checkpoint.15"))
  }

  @Test func tilesAndBundlesAddUpToTheRoots() throws {
    var tree = MerkleTree()
    for size in 1...UInt64(15) {
      let path = try #require(TilePath(.entries, index: 0, in: size))
      let bundleBytes = try Self.file(path.description)
      let bundle = try EntryBundle(parsing: bundleBytes, width: path.width)
      #expect(bundle.bytes == bundleBytes)
      let tilePath = try #require(TilePath(.hashes(level: 0), index: 0, in: size))
      let tileBytes = try Self.file(tilePath.description)
      let tile = try Tile(path: tilePath, parsing: tileBytes)
      #expect(tile.bytes == tileBytes && tile.hashes == bundle.leafHashes)
      tree.append(tile.hashes[Int(size) - 1])
      let root = try Self.checkpoint(size).checkpoint.root
      #expect(tree.root == root && tile.root == root)
      // What we would have served for the same entries.
      var appender = TileAppender()
      #expect(appender.append(bundle.leafHashes) == [tile] && appender.root == root)
    }
    #expect(try Self.checkpoint(0).checkpoint.root == .emptyRoot)
  }

  @Test func proofsOutOfItsTilesVerify() throws {
    for size in 1...UInt64(15) {
      let root = try Self.checkpoint(size).checkpoint.root
      let path = try #require(TilePath(.hashes(level: 0), index: 0, in: size))
      let tiles = TileTree(size: size, source: FetchedTiles([path: try Self.file(path.description)]))
      #expect(try tiles.root() == root)
      for index in 0..<size {
        try tiles.inclusionProof(of: index).verify(leaf: try tiles.leaf(at: index), root: root)
      }
      for old in 1...size {
        try tiles.consistencyProof(from: old).verify(oldRoot: try Self.checkpoint(old).checkpoint.root, newRoot: root)
      }
    }
  }
}
