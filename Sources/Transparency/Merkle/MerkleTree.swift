/// A Merkle tree in memory: every complete subtree of every tree that it has been.
///
/// Source: RFC 6962, section 2.1.
public struct MerkleTree: Sendable {
  // levels[h][i] is the hash of the leaves i · 2^h ..< (i + 1) · 2^h.
  private var levels: [[MerkleHash]] = []

  public init() {}

  public init(leaves: some Sequence<MerkleHash>) {
    for leaf in leaves { append(leaf) }
  }

  /// The number of leaves.
  public var size: UInt64 { UInt64(levels.first?.count ?? 0) }

  public mutating func append(_ leaf: MerkleHash) {
    var hash = leaf
    var height = 0
    while true {
      if height == levels.count { levels.append([]) }
      levels[height].append(hash)
      let count = levels[height].count
      if count % 2 == 1 { return }
      hash = .node(levels[height][count - 2], levels[height][count - 1])
      height += 1
    }
  }

  public var root: MerkleHash { root(at: size) }

  /// The root that the tree had at `size` leaves, which it must have reached.
  public func root(at size: UInt64) -> MerkleHash {
    precondition(size <= self.size)
    return hash(of: 0..<size)
  }

  /// The hash of the leaf at `index`, which must exist.
  public func leaf(at index: UInt64) -> MerkleHash { levels[0][Int(index)] }

  /// The hash of a subtree, which must lie in the tree; see ``SubtreeInclusionProof``.
  public func subtreeHash(_ subtree: Range<UInt64>) -> MerkleHash {
    precondition(subtree.upperBound <= size && subtree.isSubtree)
    return hash(of: subtree)
  }

  /// The proof that the leaf at `index` is in the tree of `size` leaves: `index < size`, a size that the tree has
  /// reached.
  public func inclusionProof(of index: UInt64, in size: UInt64) -> InclusionProof {
    precondition(size <= self.size)
    return InclusionProof(index: index, size: size, hashes: hashes(of: ProofShape.inclusion(of: index, in: size)))
  }

  /// The proof that the tree of `old` leaves is the beginning of the tree of `new` leaves: `0 < old ≤ new`, both
  /// sizes that the tree has reached.
  public func consistencyProof(from old: UInt64, to new: UInt64) -> ConsistencyProof {
    precondition(new <= size)
    return ConsistencyProof(
      oldSize: old, newSize: new, hashes: hashes(of: ProofShape.consistency(of: 0..<old, in: new)))
  }

  /// The proof that the leaf at `index` is in `subtree`, which must lie in the tree and hold the leaf.
  public func inclusionProof(of index: UInt64, in subtree: Range<UInt64>) -> SubtreeInclusionProof {
    precondition(subtree.upperBound <= size && subtree.isSubtree && subtree.contains(index))
    let start = subtree.lowerBound
    let shape = ProofShape.inclusion(of: index - start, in: subtree.upperBound - start)
    return SubtreeInclusionProof(
      index: index, subtree: subtree,
      hashes: hashes(of: shape.map { $0.lowerBound + start..<$0.upperBound + start }))
  }

  /// The proof that `subtree`, which is not empty, stands in the tree of `size` leaves.
  public func consistencyProof(of subtree: Range<UInt64>, in size: UInt64) -> SubtreeConsistencyProof {
    precondition(size <= self.size)
    return SubtreeConsistencyProof(
      subtree: subtree, size: size, hashes: hashes(of: ProofShape.consistency(of: subtree, in: size)))
  }
}

extension MerkleTree: MerkleNodeSource {
  func hash(of node: MerkleNode) throws(Never) -> MerkleHash { levels[node.height][Int(node.index)] }
}
