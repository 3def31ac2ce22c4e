import Receipts
import Transparency
import Verification

/// A log that two witnesses watch, in memory, and the history of a node's key in it.
enum TinyLog {
  static let log = try! NoteSigner(name: "log.example.org/tiny", seed: Array(repeating: 21, count: 32))
  static let otherLog = try! NoteSigner(name: "log.example.org/other", seed: Array(repeating: 22, count: 32))
  static let witnesses = (0..<2).map {
    try! CosignatureSigner(
      name: ByteText("witness\($0).example.org"), seed: Array(repeating: 31 + UInt8($0), count: 32))
  }
  /// 2026-02-01T00:00:01Z, two seconds after the statements of ``TinyNode``.
  static let seen: UInt64 = 1_769_904_001
  static let promise = Statement.Promise(log: log.verifierKey, loggedBy: "2026-02-01T23:59:59Z")
  static let policy = policy("group both all w0 w1\nquorum both\n")
  static let withoutWitnesses = try! TrustPolicy(parsing: Array("log \(log.verifierKey)\nquorum none\n".utf8))

  /// The log, both witnesses, and what the rest of a policy says.
  static func policy(_ rest: String, log: String = "log \(log.verifierKey)\n") -> TrustPolicy {
    let lines = witnesses.enumerated().map { "witness w\($0) \($1.verifierKey)\n" }.joined()
    return try! TrustPolicy(parsing: Array((log + lines + rest).utf8))
  }

  /// A log of seven entries with some of them given.
  static func tree(_ entries: [UInt64: Envelope]) -> MerkleTree {
    MerkleTree(leaves: (0..<7).map { entries[$0]?.leafHash ?? .leaf([UInt8($0)]) })
  }

  /// The proof for an entry of a tree, signed and cosigned.
  static func proof(
    of index: UInt64, in tree: MerkleTree, seen: UInt64 = seen, log: NoteSigner = log,
    witnesses: [CosignatureSigner] = witnesses
  ) throws -> InclusionEvidence {
    let checkpoint = try Checkpoint(origin: log.verifierKey.name, size: tree.size, root: tree.root)
    let cosignatures = witnesses.map { $0.cosign(checkpoint, timestamp: seen) }
    return try InclusionEvidence(
      index: index, hashes: tree.inclusionProof(of: index, in: tree.size).hashes,
      signed: try SignedCheckpoint(checkpoint, signatures: [log.sign(checkpoint)] + cosignatures))
  }

  /// The key before that of the nodes here, and the one after.
  static let oldKey = NodeSigningKey(seed: Array(repeating: 5, count: 32))!
  static let key = NodeSigningKey(seed: Array(repeating: 7, count: 32))!
  static let nextKey = NodeSigningKey(seed: Array(repeating: 8, count: 32))!

  static func succession(_ from: NodeSigningKey, _ to: NodeSigningKey) -> Envelope {
    let succession = KeySuccession(from: from.publicKey, to: to, time: "2026-01-01T00:00:00Z")
    return SignedEntry(signing: .succession(succession), with: from).envelope
  }

  static func revocation(
    _ key: NodeSigningKey, from: String, by signer: NodeSigningKey, reason: String = "stolen"
  ) -> Envelope {
    let revocation = KeyRevocation(
      key: key.publicKey, from: from, reason: reason, signer: signer.publicKey)
    return SignedEntry(signing: .revocation(revocation), with: signer).envelope
  }

  /// Entries about keys, one after another in a log.
  static func history(_ entries: [Envelope], seen: UInt64 = seen) throws -> [LoggedEntry] {
    let tree = tree(Dictionary(uniqueKeysWithValues: entries.enumerated().map { (UInt64($0), $1) }))
    return try entries.enumerated().map { i, entry in
      LoggedEntry(entry: entry, log: try proof(of: UInt64(i), in: tree, seen: seen))
    }
  }
}

extension EvidenceFile {
  /// The file after its receipt was logged as entry 4, two entries after a succession to the node's key.
  func logged(seen: UInt64 = TinyLog.seen) throws -> EvidenceFile {
    var file = self
    let succession = TinyLog.succession(TinyLog.oldKey, TinyLog.key)
    let tree = TinyLog.tree([2: succession, 4: receipt])
    file.log = try TinyLog.proof(of: 4, in: tree, seen: seen)
    file.keys = [LoggedEntry(entry: succession, log: try TinyLog.proof(of: 2, in: tree, seen: seen))]
    return file
  }

  /// What someone finds who looks the receipt up.
  func observation(
    present: Bool = true, time: Int64 = Int64(TinyLog.seen), seen: UInt64 = TinyLog.seen,
    witnesses: [CosignatureSigner] = TinyLog.witnesses
  ) throws -> LogObservation {
    let tree = TinyLog.tree(present ? [4: receipt] : [:])
    let proof = try TinyLog.proof(of: 4, in: tree, seen: seen, witnesses: witnesses)
    return LogObservation(
      signed: proof.signed, finding: present ? .included(proof.proof) : .absent, time: time)
  }
}
