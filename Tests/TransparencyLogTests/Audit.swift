import Testing
import Transparency
import TransparencyLog

/// Reads a whole log as anyone could: the signature, every tile of every level, every bundle.
enum Audit {
  static let signer = try! NoteSigner(name: "log.example/killed", seed: [UInt8](repeating: 6, count: 32))

  /// Opens a log whose index begins empty.
  static func open<Storage: LogStorage>(
    _ storage: Storage, _ signer: NoteSigner = signer, index: any LeafIndex = MemoryLeafIndex()
  ) throws(LogFailure) -> Sequencer<Storage> {
    try Sequencer(storage: storage, index: index, signer: signer)
  }

  /// - Parameter path: of the checkpoint, the sequencer's own or the published one.
  /// - Returns: the entries.
  static func entries(of storage: some LogStorage, at path: String = ".latest") throws -> [[UInt8]] {
    let signed = try SignedCheckpoint(parsing: try #require(try storage.read(path)))
    _ = try signed.verified(by: [signer.verifierKey])
    let size = signed.checkpoint.size
    var entries: [[UInt8]] = []
    for index in 0...(size / 256) {
      guard let path = TilePath(.entries, index: index, in: size) else { continue }
      let bytes = try #require(try storage.read(path.description), "\(path)")
      entries += try EntryBundle(parsing: bytes, width: path.width).entries
    }
    var appender = TileAppender()
    let tiles = appender.append(entries.map { MerkleHash.leaf($0) })
    #expect(appender.size == size && appender.root == signed.checkpoint.root)
    for tile in tiles { #expect(try storage.read(tile.path.description) == tile.bytes, "\(tile.path)") }
    return entries
  }
}
