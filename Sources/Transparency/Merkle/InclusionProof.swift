/// That a leaf is in a tree: the siblings on its way to the root.
///
/// Soundness: whoever makes a proof for another leaf, index or tree of the same root has found a collision of SHA-256.
/// Source: RFC 6962, section 2.1.1; RFC 9162, section 2.1.3.2.
public struct InclusionProof: Sendable, Equatable {
  public let index: UInt64
  /// The number of leaves of the tree.
  public let size: UInt64
  /// The leaf's sibling first, the root's child last.
  public let hashes: [MerkleHash]

  public init(index: UInt64, size: UInt64, hashes: [MerkleHash]) {
    self.index = index
    self.size = size
    self.hashes = hashes
  }

  /// The root that the tree has if `leaf` is where the proof says.
  public func root(leaf: MerkleHash) throws(ProofRejection) -> MerkleHash {
    guard index < size else { throw .indexOutsideTree(index: index, size: size) }
    // Up to where the paths of this leaf and of the last one meet, a sibling is on either side; above, only
    // left siblings are whole.
    let inner = UInt64.bitWidth - (index ^ (size - 1)).leadingZeroBitCount
    let wanted = inner + (index >> UInt64(inner)).nonzeroBitCount
    guard hashes.count == wanted else { throw .hashCount(found: hashes.count, wanted: wanted) }
    var hash = leaf
    for (height, sibling) in hashes.enumerated() {
      let isRight = height >= inner || (index >> UInt64(height)) & 1 == 1
      hash = isRight ? .node(sibling, hash) : .node(hash, sibling)
    }
    return hash
  }

  /// - Throws: unless the proof leads from `leaf` to `root`.
  public func verify(leaf: MerkleHash, root: MerkleHash) throws(ProofRejection) {
    let computed = try self.root(leaf: leaf)
    guard computed == root else { throw .rootMismatch(computed: computed, wanted: root) }
  }
}
