/// A tree of which only the tiles are at hand: makes proofs out of them.
///
/// Tiles are not trusted: a proof made from wrong ones does not verify.
///
/// Source: C2SP tlog-tiles, "Merkle Tree".
public struct TileTree<Source: TileSource> {
  /// The number of leaves.
  public let size: UInt64
  public let source: Source

  /// - Parameter size: at most 2^63 - 1, from a verified checkpoint.
  public init(size: UInt64, source: Source) {
    self.size = size
    self.source = source
  }

  public typealias ReadError = TileReadError<Source.Failure>

  /// The root that the tiles add up to.
  public func root() throws(ReadError) -> MerkleHash { try hashes(of: [0..<size])[0] }

  /// The root that the tree had when it had `count` leaves.
  public func root(ofFirst count: UInt64) throws(ReadError) -> MerkleHash {
    guard count <= size else { throw .outsideTree(.sizesOutOfOrder(old: count, new: size)) }
    return try hashes(of: [0..<count])[0]
  }

  /// The proof that the entry at `index` is in the tree.
  public func inclusionProof(of index: UInt64) throws(ReadError) -> InclusionProof {
    guard index < size else { throw .outsideTree(.indexOutsideTree(index: index, size: size)) }
    return InclusionProof(index: index, size: size, hashes: try hashes(of: ProofShape.inclusion(of: index, in: size)))
  }

  /// The proof that the tree of `old` leaves, which is not empty, is the beginning of this one.
  public func consistencyProof(from old: UInt64) throws(ReadError) -> ConsistencyProof {
    guard old <= size else { throw .outsideTree(.sizesOutOfOrder(old: old, new: size)) }
    guard old > 0 else { throw .outsideTree(.emptyTree) }
    return ConsistencyProof(
      oldSize: old, newSize: size, hashes: try hashes(of: ProofShape.consistency(of: 0..<old, in: size)))
  }

  /// The hash of the leaf at `index`.
  public func leaf(at index: UInt64) throws(ReadError) -> MerkleHash {
    guard index < size else { throw .outsideTree(.indexOutsideTree(index: index, size: size)) }
    return try hashes(of: [index..<index + 1])[0]
  }

  private func hashes(of ranges: [Range<UInt64>]) throws(ReadError) -> [MerkleHash] {
    guard size <= CanonicalDecimal.valueMax else {
      throw .outsideTree(.indexOutsideTree(index: size, size: CanonicalDecimal.valueMax))
    }
    var tiles: [TilePath: Tile] = [:]
    for path in TilePaths.holding(ranges, in: size) {
      let bytes: [UInt8]
      do throws(Source.Failure) { bytes = try source.bytes(of: path) } catch { throw .source(path, error) }
      do throws(TileRejection) { tiles[path] = try Tile(path: path, parsing: bytes) } catch {
        throw .rejected(path, error)
      }
    }
    return LoadedTiles(size: size, tiles: tiles).hashes(of: ranges)
  }
}

extension TileTree: Sendable where Source: Sendable {}

/// Tiles that hold every node that will be asked for.
private struct LoadedTiles: MerkleNodeSource {
  let size: UInt64
  let tiles: [TilePath: Tile]

  func hash(of node: MerkleNode) throws(Never) -> MerkleHash {
    guard let path = TilePaths.holding(node, in: size), let tile = tiles[path] else {
      preconditionFailure("the tile of each node has been read")
    }
    let height = node.height % 8
    return tile.hash(height: height, index: Int(node.index & (255 >> UInt64(height))))
  }
}
