public import Receipts

/// Why a log does not take an entry.
public enum EntryRefusal: Error, Sendable, Equatable, CustomStringConvertible {
  case form(EntryRejection)
  case notAdmitted(NodePublicKey)
  case tooMany(retryAfterSeconds: Int)
  /// Nothing is wrong with the entry.
  case unavailable(reason: String)

  /// Whether sending it again would not help.
  public var isFinal: Bool {
    switch self {
    case .form, .notAdmitted: true
    case .tooMany, .unavailable: false
    }
  }

  public var description: String {
    switch self {
    case .form(let rejection): rejection.description
    case .notAdmitted(let key): "this log does not take entries of the node \(key); ask its operator"
    case .tooMany(let seconds): "too many entries of this node; try again in \(seconds) s"
    case .unavailable(let reason): "the log takes no entries at present: \(reason)"
    }
  }
}

extension SignedEntry {
  /// Reads what is submitted.
  static func submitted(_ bytes: [UInt8]) throws(EntryRefusal) -> SignedEntry {
    do { return try SignedEntry.parse(bytes) } catch { throw .form(error) }
  }

  /// Whose entry this is: who signed it, and the new key of a succession, which has signed its consent.
  var owners: Set<NodePublicKey> {
    if case .succession(let succession) = entry { return [succession.from, succession.to] }
    return [entry.signer]
  }
}
