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
    let statement: NodeStatement
    do { statement = try SignedEntry.parse(bytes).entry } catch { throw EntryRefusal(error) }
    signer = statement.signer
    keys =
      switch statement {
      case .claim: [signer]
      case .succession(let succession): [succession.from, succession.to]
      case .revocation(let revocation): [revocation.key, revocation.signer]
      }
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
  /// The new key of a succession did not agree to it.
  case noConsent(NodePublicKey)
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
    case .noConsent(let key): EntryRejection.noConsent(key).description
    case .notAdmitted(let key): "this log does not take entries of the node \(key); ask its operator"
    case .tooMany(let seconds): "too many entries of this node; try again in \(seconds) s"
    case .unavailable(let reason): "the log takes no entries at present: \(reason)"
    }
  }
}

extension EntryRefusal {
  init(_ rejection: EntryRejection) {
    self =
      switch rejection {
      case .tooLong(let count): .length(byteCount: count)
      case .malformed(let reason): .form(reason)
      // One statement, one spelling: else it could be logged under many leaf hashes.
      case .notCanonical: .notCanonical
      case .keyIDMismatch(_, let signer), .notSigned(let signer): .signature(signer)
      case .noConsent(let key): .noConsent(key)
      }
  }
}
