public import Receipts
public import Transparency

/// An entry that a log may take: a canonical envelope of a known kind, whose signature holds.
///
/// Source: docs/spec/transparency.md, section 7.
public struct LogEntry: Sendable {
  public let bytes: [UInt8]
  /// Who signed it.
  public let signer: NodePublicKey
  /// Whose entry it is to admit it: the signer, and for entries about a key that key's others.
  public let keys: Set<NodePublicKey>
  public let leaf: MerkleHash

  /// Checks everything but whether the signer is admitted.
  public init(_ bytes: [UInt8]) throws(EntryRefusal) {
    guard (1...EntryBundle.entryBytesMax).contains(bytes.count) else { throw .length(byteCount: bytes.count) }
    let envelope: Envelope
    let claim: Claim
    do throws(Rejection) {
      envelope = try Envelope.parse(bytes)
      claim = try Claim.parse(envelope.payload)
    } catch { throw .form(error) }
    // One statement, one spelling: else it could be logged under many leaf hashes.
    guard envelope.bytes == bytes, claim.payload == envelope.payload else { throw .notCanonical }
    signer = claim.node.publicKey
    guard envelope.keyID == signer.id, envelope.isSigned(by: signer) else { throw .signature(signer) }
    keys = [signer]
    leaf = MerkleHash.leaf(bytes)
    self.bytes = bytes
  }
}

/// Why a log does not take an entry.
public enum EntryRefusal: Error, Sendable, CustomStringConvertible {
  case length(byteCount: Int)
  case form(Rejection)
  case notCanonical
  case signature(NodePublicKey)
  case notAdmitted(NodePublicKey)
  case tooMany(retryAfterSeconds: Int)
  /// Nothing is wrong with the entry.
  case unavailable(reason: String)

  public var description: String {
    switch self {
    case .length(let count): "an entry of \(count) bytes; 1 to \(EntryBundle.entryBytesMax) can be logged"
    case .form(let rejection): rejection.description
    case .notCanonical: "the entry is not in canonical form; send the receipt byte for byte as its node gave it out"
    case .signature(let key): "the signature is not that of the node \(key) over the statement"
    case .notAdmitted(let key): "this log does not take entries of the node \(key); ask its operator"
    case .tooMany(let seconds): "too many entries of this node; try again in \(seconds) s"
    case .unavailable(let reason): "the log takes no entries at present: \(reason)"
    }
  }
}
