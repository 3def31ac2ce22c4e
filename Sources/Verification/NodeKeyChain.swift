public import Receipts
public import Transparency

/// The keys of one node, one after another, as logged entries show them.
///
/// Source: docs/spec/evidence.md, section 12.
struct NodeKeyChain: Sendable {
  /// Oldest first.
  private(set) var keys: [NodePublicKey] = []
  /// From when, and when a quorum saw that, in seconds since 1970; of several the one with the earliest `from`.
  private(set) var revoked: [NodePublicKey: (from: Int64, seen: Int64?)] = [:]
  /// Of each log, the last entry so far.
  private var indices: [ByteText: UInt64] = [:]

  /// - Throws: at the first entry that does not hold or does not fit those before.
  init(_ entries: [LoggedEntry], under trust: LogTrust) throws(KeyHistoryFault) {
    for (i, logged) in entries.enumerated() {
      func fault(_ reason: KeyHistoryFault.Reason) -> KeyHistoryFault { KeyHistoryFault(entry: i, reason: reason) }
      let signed: SignedEntry
      do { signed = try SignedEntry(logged.entry) } catch { throw fault(.entry(error)) }
      let verdict: PolicyVerdict
      do {
        verdict = try logged.log.verify(
          leaf: logged.entry.leafHash, policy: trust.policy, furtherLogs: trust.furtherLogs)
      } catch { throw fault(.notLogged(error)) }
      let index = logged.log.index
      if let before = indices.updateValue(index, forKey: verdict.checkpoint.origin), before >= index {
        throw fault(.outOfOrder(index: index, before: before))
      }
      do throws(KeyHistoryFault.Reason) { try append(signed.entry, verdict.quorum) } catch { throw fault(error) }
    }
  }

  private mutating func append(
    _ entry: NodeStatement, _ quorum: PolicyVerdict.Quorum
  ) throws(KeyHistoryFault.Reason) {
    switch entry {
    case .claim: throw .notAboutKeys
    case .succession(let succession):
      if keys.isEmpty { keys = [succession.from] }
      guard succession.from == keys.last else { throw .notNext(succession.from) }
      guard !keys.contains(succession.to) else { throw .keyTwice(succession.to) }
      // A revocation that was logged later does not undo a succession; one that was logged before does.
      if let from = revoked[succession.from]?.from {
        guard case .reached(let seen) = quorum, Int64(clamping: seen) < from else {
          throw .afterRevocation(succession.from)
        }
      }
      keys.append(succession.to)
    case .revocation(let revocation):
      if keys.isEmpty { keys = [revocation.key] }
      guard let at = keys.firstIndex(of: revocation.key) else { throw .notInChain(revocation.key) }
      guard revocation.signer == revocation.key || keys.dropFirst(at + 1).first == revocation.signer else {
        throw .notItsSuccessor(revocation.signer)
      }
      guard let from = UTCTime.seconds(revocation.from) else { preconditionFailure("the form was checked") }
      let seen: Int64? = if case .reached(let time) = quorum { Int64(clamping: time) } else { nil }
      if let known = revoked[revocation.key], known.from <= from { return }
      revoked[revocation.key] = (from, seen)
    }
  }

  /// Whether one of `accepted` came before `key`.
  func leads(from accepted: Set<NodePublicKey>, to key: NodePublicKey) -> NodePublicKey? {
    guard let at = keys.firstIndex(of: key) else { return nil }
    return keys[..<at].last { accepted.contains($0) }
  }
}

/// Which entry about keys does not hold, from 0, and why.
public struct KeyHistoryFault: Error, Equatable, Sendable, CustomStringConvertible {
  public enum Reason: Error, Equatable, Sendable {
    case entry(EntryRejection)
    case notAboutKeys
    case notLogged(InclusionEvidenceRejection)
    case outOfOrder(index: UInt64, before: UInt64)
    /// A succession from another key than the newest one.
    case notNext(NodePublicKey)
    case keyTwice(NodePublicKey)
    case afterRevocation(NodePublicKey)
    /// A revocation of a key that no succession has named.
    case notInChain(NodePublicKey)
    case notItsSuccessor(NodePublicKey)
  }

  public let entry: Int
  public let reason: Reason

  public init(entry: Int, reason: Reason) {
    self.entry = entry
    self.reason = reason
  }

  public var description: String { "entry \(entry) about the node's keys: \(text)" }

  private var text: String {
    switch reason {
    case .entry(let rejection): rejection.description
    case .notAboutKeys: "it is a statement about an answer"
    case .notLogged(let rejection): "it is not shown to be in a log: \(rejection)"
    case .outOfOrder(let index, let before): "it is entry \(index) of the log, and follows entry \(before)"
    case .notNext(let key): "the key \(key) names a successor, and is not the newest key"
    case .keyTwice(let key): "the key \(key) is named a second time"
    case .afterRevocation(let key): "the key \(key) names a successor after it was revoked"
    case .notInChain(let key): "it revokes \(key), which is none of the node's keys"
    case .notItsSuccessor(let key): "it is signed by \(key), which is neither the revoked key nor its successor"
    }
  }
}
