import Testing
import Transparency

/// Tiles, bundles and trees of which only the tiles are at hand.
@Suite struct TileTests {
  private static func leaves(_ count: Int) -> [MerkleHash] { (0..<count).map { .leaf(Array("entry \($0)".utf8)) } }

  @Test func treesGrowInTilesAsAWhole() throws {
    var random = SeededGenerator("tiles")
    let leaves = Self.leaves(140_000)
    var appender = TileAppender()
    var range = CompactRange()
    var source = FetchedTiles()
    var size = 0
    var steps = 0
    while size < leaves.count {
      let most = leaves.count - size
      let count = min(
        most, steps % 3 == 0 ? Int.random(in: 1...3, using: &random) : Int.random(in: 1...6000, using: &random))
      for tile in appender.append(leaves[size..<(size + count)]) { source.bytes[tile.path] = tile.bytes }
      for leaf in leaves[size..<(size + count)] { range.append(leaf) }
      size += count
      steps += 1
      #expect(appender.size == UInt64(size) && appender.root == range.root, "seed \(random.seed), size \(size)")
      // Going on from what was written is going on.
      let again = try TileAppender(size: UInt64(size), source: source)
      #expect(again.root == range.root && again == appender, "seed \(random.seed), size \(size)")
      #expect(try TileTree(size: UInt64(size), source: source).root() == range.root)
      appender = again
    }
    let tree = MerkleTree(leaves: leaves)
    let tiles = TileTree(size: UInt64(size), source: source)
    for _ in 0..<40 {
      let index = UInt64.random(in: 0..<UInt64(size), using: &random)
      #expect(try tiles.inclusionProof(of: index) == tree.inclusionProof(of: index, in: UInt64(size)))
      #expect(try tiles.leaf(at: index) == leaves[Int(index)])
      let old = UInt64.random(in: 1...UInt64(size), using: &random)
      #expect(try tiles.consistencyProof(from: old) == tree.consistencyProof(from: old, to: UInt64(size)))
      #expect(try tiles.root(ofFirst: old) == MerkleTree(leaves: Array(leaves[..<Int(old)])).root)
      // What was asked for beforehand is all that is read.
      for paths in [
        TilePaths.forInclusion(of: index, in: UInt64(size)), TilePaths.forConsistency(from: old, to: UInt64(size)),
      ] {
        let few = FetchedTiles(source.bytes.filter { paths.contains($0.key) })
        #expect(few.bytes.count == paths.count && paths.count <= 9)
        let again = TileTree(size: UInt64(size), source: few)
        if paths == TilePaths.forInclusion(of: index, in: UInt64(size)) {
          #expect(try again.inclusionProof(of: index).index == index)
        } else {
          #expect(try again.consistencyProof(from: old).oldSize == old)
        }
      }
    }
  }

  @Test func everySizeHasItsTiles() throws {
    let leaves = Self.leaves(600)
    var appender = TileAppender()
    var source = FetchedTiles()
    for size in 1...UInt64(600) {
      for tile in appender.append([leaves[Int(size) - 1]]) { source.bytes[tile.path] = tile.bytes }
      for level in 0...2 {
        for index in UInt64(0)...3 {
          guard let path = TilePath(.hashes(level: level), index: index, in: size) else { continue }
          #expect(source.bytes[path]?.count == 32 * path.width, "\(path) at \(size)")
        }
      }
    }
    // 600 of level 0, of which the full ones count once; 2 and 1 of level 1.
    #expect(source.bytes.count == 602)
  }

  @Test func missingAndDamagedTilesAreNamed() throws {
    let files = try SampleLog(size: 300).files()
    var source = try FetchedTiles(files: files)
    let path = try TilePath("tile/0/001.p/44")
    source.bytes[path] = Array(source.bytes[path]!.dropLast())
    #expect { try TileTree(size: 300, source: source).inclusionProof(of: 299) } throws: {
      "\($0)" == "tile/0/001.p/44 is damaged: a tile of 1408 bytes is 1407 bytes long"
    }
    source.bytes[path] = nil
    #expect { try TileTree(size: 300, source: source).root() } throws: {
      "\($0)" == "tile/0/001.p/44 cannot be read: it has not been fetched"
    }
    #expect { try TileAppender(size: 300, source: source) } throws: { "\($0)".contains("cannot be read") }
    let tree = TileTree(size: 300, source: source)
    #expect(throws: (any Error).self) { try tree.inclusionProof(of: 300) }
    #expect(throws: (any Error).self) { try tree.consistencyProof(from: 0) }
    #expect(throws: (any Error).self) { try tree.consistencyProof(from: 301) }
    #expect(throws: (any Error).self) { try tree.root(ofFirst: 301) }
    #expect(throws: (any Error).self) { try TileTree(size: .max, source: source).root() }
    #expect(throws: (any Error).self) { try TileAppender(size: .max, source: source) }
    #expect(TilePaths.forInclusion(of: 300, in: 300).isEmpty && TilePaths.forConsistency(from: 0, to: 300).isEmpty)
  }

  /// A tile that another log's operator has changed leads to no proof that verifies.
  @Test func proofsOutOfChangedTilesFail() throws {
    let log = SampleLog(size: 300)
    var source = try FetchedTiles(files: try log.files())
    for path in Array(source.bytes.keys) where path.kind != .entries {
      let honest = source.bytes[path]!
      var damaged = honest
      damaged[0] ^= 1
      source.bytes[path] = damaged
      let tree = TileTree(size: 300, source: source)
      #expect(try tree.root() != log.tree.root || path.width == 256, "\(path)")
      let index = path.description.contains("001") ? UInt64(257) : 1
      #expect(throws: ProofRejection.self, "\(path)") {
        try tree.inclusionProof(of: path.level == 1 ? 257 : index).verify(
          leaf: log.tree.leaf(at: path.level == 1 ? 257 : index), root: log.tree.root)
      }
      source.bytes[path] = honest
    }
  }

  @Test func bundlesAreReadStrictly() throws {
    let entries: [[UInt8]] = [[], [1, 2, 3], [UInt8](repeating: 7, count: EntryBundle.entryBytesMax)]
    let bundle = try EntryBundle(entries)
    #expect(try EntryBundle(parsing: bundle.bytes, width: 3) == bundle)
    #expect(bundle.bytes.count == 6 + 3 + EntryBundle.entryBytesMax)
    #expect(throws: TileRejection.bundleWidth(found: 3, wanted: 2)) { try EntryBundle(parsing: bundle.bytes, width: 2) }
    #expect(throws: TileRejection.bundleWidth(found: 3, wanted: 4)) { try EntryBundle(parsing: bundle.bytes, width: 4) }
    #expect(throws: TileRejection.entryCut(entry: 2)) { try EntryBundle(parsing: bundle.bytes.dropLast(), width: 3) }
    #expect(throws: TileRejection.entryCut(entry: 3)) { try EntryBundle(parsing: bundle.bytes + [0], width: 4) }
    #expect(throws: TileRejection.bundleWidth(found: 4, wanted: 3)) {
      try EntryBundle(parsing: bundle.bytes + [0], width: 3)
    }
    #expect(throws: TileRejection.self) { try EntryBundle(parsing: [], width: 0) }
    #expect(throws: TileRejection.self) { try EntryBundle([]) }
    #expect(throws: TileRejection.self) { try EntryBundle([[UInt8]](repeating: [], count: 257)) }
    #expect(throws: TileRejection.entryTooLong(entry: 0, byteCount: 65_536)) {
      try EntryBundle([[UInt8](repeating: 0, count: 65_536)])
    }
    #expect(throws: TileRejection.self) { try Tile(path: try TilePath("tile/entries/000"), parsing: []) }
  }
}
