/// That a tree is the beginning of a larger one: nothing was changed or taken away.
///
/// Source: RFC 6962, section 2.1.2; RFC 9162, section 2.1.4.2.
public struct ConsistencyProof: Sendable, Equatable {
  public let oldSize: UInt64
  public let newSize: UInt64
  public let hashes: [MerkleHash]

  public init(oldSize: UInt64, newSize: UInt64, hashes: [MerkleHash]) {
    self.oldSize = oldSize
    self.newSize = newSize
    self.hashes = hashes
  }

  /// - Throws: unless the proof leads from `oldRoot` to `newRoot`. From the empty tree to a larger one there is
  ///   nothing to verify, and a caller for whom that is an answer must give it itself.
  public func verify(oldRoot: MerkleHash, newRoot: MerkleHash) throws(ProofRejection) {
    guard oldSize <= newSize else { throw .sizesOutOfOrder(old: oldSize, new: newSize) }
    if oldSize == 0 {
      guard newSize == 0 else { throw .emptyTree }
      guard hashes.isEmpty else { throw .hashCount(found: hashes.count, wanted: 0) }
      guard oldRoot == .emptyRoot else { throw .oldRootMismatch(computed: .emptyRoot, wanted: oldRoot) }
      guard newRoot == .emptyRoot else { throw .rootMismatch(computed: .emptyRoot, wanted: newRoot) }
      return
    }
    try SubtreeConsistencyProof(subtree: 0..<oldSize, size: newSize, hashes: hashes)
      .verify(subtreeHash: oldRoot, root: newRoot)
  }
}
