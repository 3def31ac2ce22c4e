package import Transparency

/// A log with several histories that are the same up to some entry, each signed.
package struct ForkingLog: Sendable {
  package static let branches = 4
  package static let sizeMax: UInt64 = 3000
  package let number: UInt64
  package let signer: NoteSigner
  /// Branch b is that of branch 0 up to its entry 40 · b.
  private let trees: [MerkleTree]

  package init(number: UInt64) {
    self.number = number
    signer = try! NoteSigner(
      name: ByteText("log.example/forks-\(number)"),
      seed: [UInt8](repeating: 3, count: 24) + (0..<8).map { UInt8(truncatingIfNeeded: number >> (8 * $0)) })
    trees = (0..<ForkingLog.branches).map { branch in
      MerkleTree(
        leaves: (0..<Int(ForkingLog.sizeMax)).map { i in
          .leaf("\(number) \(i < 40 * branch ? 0 : branch) \(i)".utf8)
        })
    }
  }

  package func request(branch: Int, from old: UInt64, to new: UInt64) throws -> AddCheckpointRequest {
    let tree = trees[branch]
    let checkpoint = try Checkpoint(origin: signer.verifierKey.name, size: new, root: tree.root(at: new))
    return try AddCheckpointRequest(
      oldSize: old, hashes: old == 0 ? [] : tree.consistencyProof(from: old, to: new).hashes,
      signed: try SignedCheckpoint(checkpoint, signatures: [signer.sign(checkpoint)]))
  }

  /// The branches that have this root at this size.
  package func branches(size: UInt64, root: String) -> Set<Int> {
    guard size <= ForkingLog.sizeMax else { return [] }
    return Set(trees.indices.filter { trees[$0].root(at: size).base64 == root })
  }
}
