import Transparency

/// With which root a signed tree begins: what shows that a smaller checkpoint with another root is of another history.
///
/// A consistency proof that does not verify shows nothing: anyone can make one. This one verifies, from the root that
/// the larger tree had at the smaller one's size; and a tree has one beginning of that size.
///
/// Soundness: collisions of SHA-256 apart, who signed both checkpoints has signed two histories.
struct TreeBeginning: Sendable, Equatable {
  let root: MerkleHash
  let proof: ConsistencyProof

  /// - Returns: nil unless it refutes that `older` is the beginning of `newer`.
  init?(_ root: MerkleHash, _ proof: ConsistencyProof, refuting older: Checkpoint, in newer: Checkpoint) {
    guard root != older.root, proof.oldSize == older.size, proof.newSize == newer.size,
      (try? proof.verify(oldRoot: root, newRoot: newer.root)) != nil
    else { return nil }
    self.root = root
    self.proof = proof
  }

  /// Lines of base64: the root, then the proof's hashes.
  var bytes: [UInt8] { Array(([root] + proof.hashes).map { $0.base64 + "\n" }.joined().utf8) }
}
