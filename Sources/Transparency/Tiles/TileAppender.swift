/// Makes the tiles of a tree as it grows. Holds the right edge only: at most 255 hashes a level.
///
/// Source: C2SP tlog-tiles, "Partial Tiles".
public struct TileAppender: Sendable, Equatable {
  /// The number of leaves.
  public private(set) var size: UInt64 = 0
  // The hashes of the last, partial tile of each level; empty where the level ends with a full one.
  private var edges: [[MerkleHash]] = []

  /// Starts from the empty tree.
  public init() {}

  /// Goes on from a tree of `size` leaves, whose partial tiles it reads; see ``TilePaths/partial(in:)``.
  ///
  /// The caller compares ``root`` with its checkpoint's before it builds upon what it has read.
  public init<Source: TileSource>(size: UInt64, source: Source) throws(TileReadError<Source.Failure>) {
    guard size <= CanonicalDecimal.valueMax else {
      throw .outsideTree(.indexOutsideTree(index: size, size: CanonicalDecimal.valueMax))
    }
    self.size = size
    for path in TilePaths.partial(in: size) {
      let bytes: [UInt8]
      do throws(Source.Failure) { bytes = try source.bytes(of: path) } catch { throw .source(path, error) }
      while edges.count <= path.level { edges.append([]) }
      do throws(TileRejection) { edges[path.level] = try Tile(path: path, parsing: bytes).hashes } catch {
        throw .rejected(path, error)
      }
    }
  }

  /// Appends leaves.
  ///
  /// - Returns: every tile that the larger tree has and the smaller one did not, full ones once and complete,
  ///   partial ones as the larger tree has them.
  public mutating func append(_ leaves: some Sequence<MerkleHash>) -> [Tile] {
    var tiles: [Tile] = []
    var changed: Set<Int> = []
    for leaf in leaves {
      var hash = leaf
      var level = 0
      while true {
        if level == edges.count { edges.append([]) }
        edges[level].append(hash)
        changed.insert(level)
        guard edges[level].count == TilePath.widthMax else { break }
        guard let full = tile(level: level, upTo: size + 1) else { break }
        tiles.append(full)
        hash = full.root
        edges[level] = []
        level += 1
      }
      size += 1
    }
    return tiles + changed.sorted().compactMap { edges[$0].isEmpty ? nil : tile(level: $0, upTo: size) }
  }

  public var root: MerkleHash {
    var hash: MerkleHash?
    for edge in edges where !edge.isEmpty {
      var range = CompactRange()
      for node in edge { range.append(node) }
      // Every hash of a level is a complete subtree, and what lies below to the right is smaller than one.
      for left in range.hashes.reversed() { hash = hash.map { .node(left, $0) } ?? left }
    }
    return hash ?? .emptyRoot
  }

  /// The last tile of a level in a tree of `size` leaves, from the hashes that are held.
  private func tile(level: Int, upTo size: UInt64) -> Tile? {
    let hashes = edges[level]
    let index = (size >> UInt64(8 * level)) - UInt64(hashes.count)
    return TilePath(.hashes(level: level), index: index >> 8, width: hashes.count).flatMap {
      Tile(path: $0, hashes: hashes)
    }
  }
}
