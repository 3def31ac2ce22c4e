import Transparency

/// An index together with the tiles that it is checked against.
struct LeafPlaces<Storage: LogStorage>: Sendable {
  let index: any LeafIndex
  let tiles: StorageTiles<Storage>

  /// Tiles that are read before the index is written.
  private static var tilesPerStep: UInt64 { 64 }

  /// Makes the index cover a tree of `size` leaves: whatever it has that does not fit is thrown away.
  func catchUp(to size: UInt64) throws(LogFailure) {
    var state = try LogFailure.storing { () throws(StorageFailure) in try index.state() }
    let isOfThisTree = state.size > size ? false : try root(ofFirst: state.size, in: size) == state.root
    if !isOfThisTree {
      try LogFailure.storing { () throws(StorageFailure) in try index.removeAll() }
      state = .empty
    }
    while state.size < size {
      let end = min(size, (state.size / TilePath.fullWidth + LeafPlaces.tilesPerStep) * TilePath.fullWidth)
      var leaves: [MerkleHash] = []
      for number in state.size / TilePath.fullWidth...(end - 1) / TilePath.fullWidth {
        guard let path = TilePath(.hashes(level: 0), index: number, in: size) else { continue }
        let first = number * TilePath.fullWidth
        leaves += try tiles.tile(path).hashes.dropFirst(Int(max(state.size, first) - first))
      }
      let next = LeafIndexState(size: end, root: try root(ofFirst: end, in: size))
      try LogFailure.storing { () throws(StorageFailure) in try index.add(leaves, covering: next) }
      state = next
    }
  }

  /// - Returns: for each leaf its first place in the tree of `size` leaves, nil if it is not there.
  func find(_ leaves: [MerkleHash], in size: UInt64) throws(LogFailure) -> [UInt64?] {
    let candidates = try LogFailure.storing { () throws(StorageFailure) in try index.candidates(for: leaves) }
    var found: [UInt64?] = []
    found.reserveCapacity(leaves.count)
    for (leaf, places) in zip(leaves, candidates) {
      var first: UInt64?
      for place in places where place < size && first == nil {
        guard let path = TilePath(.hashes(level: 0), index: place / TilePath.fullWidth, in: size) else { continue }
        if try tiles.tile(path).hashes[Int(place % TilePath.fullWidth)] == leaf { first = place }
      }
      found.append(first)
    }
    return found
  }

  private func root(ofFirst count: UInt64, in size: UInt64) throws(LogFailure) -> MerkleHash {
    do { return try TileTree(size: size, source: tiles).root(ofFirst: count) } catch { throw LogFailure(error) }
  }
}

extension TilePath {
  /// The leaves of a full tile of level 0.
  static let fullWidth = UInt64(widthMax)
}
