/// That a leaf is in a part of a tree.
///
/// Source: draft-ietf-plants-merkle-tree-certs, "Subtree Inclusion Proofs".
public struct SubtreeInclusionProof: Sendable, Equatable {
  /// The leaf's index in the whole tree.
  public let index: UInt64
  public let subtree: Range<UInt64>
  /// The leaf's sibling first.
  public let hashes: [MerkleHash]

  public init(index: UInt64, subtree: Range<UInt64>, hashes: [MerkleHash]) {
    self.index = index
    self.subtree = subtree
    self.hashes = hashes
  }

  /// - Throws: unless the range is a subtree that holds the index, and the proof leads from `leaf` to its hash.
  public func verify(leaf: MerkleHash, subtreeHash: MerkleHash) throws(ProofRejection) {
    guard subtree.isSubtree else { throw .notSubtree(start: subtree.lowerBound, end: subtree.upperBound) }
    guard subtree.contains(index) else { throw .indexOutsideTree(index: index, size: subtree.upperBound) }
    let start = subtree.lowerBound
    try InclusionProof(index: index - start, size: subtree.upperBound - start, hashes: hashes)
      .verify(leaf: leaf, root: subtreeHash)
  }
}
