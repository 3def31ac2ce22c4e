import Receipts
import Transparency

/// A log that two witnesses watch, in memory.
enum TinyLog {
  static let log = try! NoteSigner(name: "log.example.org/tiny", seed: Array(repeating: 21, count: 32))
  static let witnesses = (0..<2).map {
    try! CosignatureSigner(
      name: ByteText("witness\($0).example.org"), seed: Array(repeating: 31 + UInt8($0), count: 32))
  }
  /// 2026-02-01T00:00:01Z, two seconds after the statements of ``TinyNode``.
  static let seen: UInt64 = 1_769_904_001
  static let promise = Statement.Promise(log: log.verifierKey, loggedBy: "2026-02-01T23:59:59Z")

  /// The proof for an entry that stands among six others, cosigned by both witnesses.
  static func proof(of envelope: Envelope) throws -> InclusionEvidence {
    var tree = MerkleTree(leaves: (0..<4).map { MerkleHash.leaf([$0]) })
    let index = tree.size
    tree.append(envelope.leafHash)
    for i in 5..<7 { tree.append(.leaf([UInt8(i)])) }
    let checkpoint = try Checkpoint(origin: log.verifierKey.name, size: tree.size, root: tree.root)
    let cosignatures = witnesses.map { $0.cosign(checkpoint, timestamp: seen) }
    return try InclusionEvidence(
      index: index, hashes: tree.inclusionProof(of: index, in: tree.size).hashes,
      signed: try SignedCheckpoint(checkpoint, signatures: [log.sign(checkpoint)] + cosignatures))
  }
}

extension EvidenceFile {
  /// The file after its receipt was logged, with an entry about keys.
  func logged() throws -> EvidenceFile {
    var file = self
    file.log = try TinyLog.proof(of: receipt)
    file.keys = [LoggedEntry(entry: receipt, log: try TinyLog.proof(of: receipt))]
    return file
  }
}
