/// That a subtree stands in a tree.
///
/// Source: draft-ietf-plants-merkle-tree-certs, "Subtree Consistency Proofs".
public struct SubtreeConsistencyProof: Sendable, Equatable {
  public let subtree: Range<UInt64>
  /// The number of leaves of the tree.
  public let size: UInt64
  public let hashes: [MerkleHash]

  public init(subtree: Range<UInt64>, size: UInt64, hashes: [MerkleHash]) {
    self.subtree = subtree
    self.size = size
    self.hashes = hashes
  }

  /// - Throws: unless the range is a subtree of the tree and the proof leads from `subtreeHash` to `root`. An
  ///   empty range is in every tree, with the hash of the empty tree and no proof.
  public func verify(subtreeHash: MerkleHash, root: MerkleHash) throws(ProofRejection) {
    guard subtree.isSubtree else { throw .notSubtree(start: subtree.lowerBound, end: subtree.upperBound) }
    guard subtree.upperBound <= size else { throw .subtreeOutsideTree(end: subtree.upperBound, size: size) }
    if subtree.isEmpty {
      guard hashes.isEmpty else { throw .hashCount(found: hashes.count, wanted: 0) }
      guard subtreeHash == .emptyRoot else { throw .oldRootMismatch(computed: .emptyRoot, wanted: subtreeHash) }
      return
    }
    let wanted = ProofShape.consistency(of: subtree, in: size).count
    guard hashes.count == wanted else { throw .hashCount(found: hashes.count, wanted: wanted) }
    let (old, new) = climb(from: subtreeHash)
    guard old == subtreeHash else { throw .oldRootMismatch(computed: old, wanted: subtreeHash) }
    guard new == root else { throw .rootMismatch(computed: new, wanted: root) }
  }

  /// What the hashes add up to, in the subtree and in the tree. Their number has been checked.
  private func climb(from subtreeHash: MerkleHash) -> (old: MerkleHash, new: MerkleHash) {
    // Places of the subtree's first and last leaf and of the tree's last leaf, at the height reached so far.
    var (first, last, end) = (subtree.lowerBound, subtree.upperBound - 1, size - 1)
    func rise(_ heights: Int) {
      first >>= UInt64(heights)
      last >>= UInt64(heights)
      end >>= UInt64(heights)
    }
    // Up to the largest complete subtree at the right edge, old and new are the same.
    let isAtEnd = last == end
    while first != last && (isAtEnd || last & 1 == 1) { rise(1) }
    var left = hashes[...]
    var old = first == last ? subtreeHash : left.popFirst() ?? subtreeHash
    var new = old
    for hash in left {
      if last & 1 == 1 || last == end {
        if first < last { old = .node(hash, old) }
        new = .node(hash, new)
        while last & 1 == 0 && last != 0 { rise(1) }
      } else {
        new = .node(new, hash)
      }
      rise(1)
    }
    return (old, new)
  }
}
