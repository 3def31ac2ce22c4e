/// Why hashes prove nothing about a tree.
public enum ProofRejection: Error, Equatable, Sendable, CustomStringConvertible {
  case indexOutsideTree(index: UInt64, size: UInt64)
  /// The larger tree is the smaller one.
  case sizesOutOfOrder(old: UInt64, new: UInt64)
  /// Every tree grows out of the empty one, so a proof from there says nothing.
  case emptyTree
  case notSubtree(start: UInt64, end: UInt64)
  case subtreeOutsideTree(end: UInt64, size: UInt64)
  case hashCount(found: Int, wanted: Int)
  /// What the proof's hashes add up to is not what was to be proven.
  case rootMismatch(computed: MerkleHash, wanted: MerkleHash)
  /// The same of the smaller tree, or of the subtree.
  case oldRootMismatch(computed: MerkleHash, wanted: MerkleHash)

  public var description: String {
    switch self {
    case .indexOutsideTree(let index, let size): "entry \(index) cannot be in a tree of \(size) entries"
    case .sizesOutOfOrder(let old, let new): "a tree of \(old) entries cannot have grown to \(new)"
    case .emptyTree: "a proof from the empty tree proves nothing"
    case .notSubtree(let start, let end): "the entries from \(start) to \(end) are no subtree"
    case .subtreeOutsideTree(let end, let size): "a subtree that ends at \(end) is not in a tree of \(size) entries"
    case .hashCount(let found, let wanted): "the proof has \(found) hashes instead of \(wanted)"
    case .rootMismatch(let computed, let wanted): "the proof leads to the root \(computed), not to \(wanted)"
    case .oldRootMismatch(let computed, let wanted): "the proof starts from the root \(computed), not from \(wanted)"
    }
  }
}
