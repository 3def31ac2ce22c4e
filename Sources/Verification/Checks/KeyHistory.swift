import Receipts

/// What the file shows of the node's keys holds, and its key was not revoked when the receipt was logged.
///
/// Soundness: a file without a revocation does not show that there is none.
enum KeyHistoryCheck: Check {
  static let name = CheckName.keyHistory

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    let key = try evidence.claim().node.publicKey
    let document = try evidence.readDocument()
    if document.isReceiptOnly { throw .noModelManifest }
    if document.keys.isEmpty { throw .noKeyHistory }
    let trust = try evidence.logTrust()
    let history: NodeKeyChain
    do { history = try NodeKeyChain(document.keys, under: trust) } catch { return .fail(.keyHistoryRefused(error)) }
    guard let at = history.keys.firstIndex(of: key) else { return .fail(.keyHistoryOfAnother(key)) }
    if let revocation = history.revoked[key] {
      let seen = (try? evidence.logFinding())?.seen
      guard let seen, seen < revocation.from else {
        return .fail(
          .keyRevoked(
            key, from: UTCTime.text(revocation.from), seen: seen.map { UTCTime.text($0) },
            logged: revocation.seen.map { UTCTime.text($0) }))
      }
    }
    var parts = ["key \(at + 1) of \(history.keys.count): " + history.keys.map { short($0) }.joined(separator: " → ")]
    for key in history.keys {
      if let from = history.revoked[key]?.from {
        parts.append("\(short(key)) is revoked from \(UTCTime.text(from)) on")
      }
    }
    return .pass(parts.joined(separator: "; "))
  }

  private static func short(_ key: NodePublicKey) -> String { key.hex.prefix(16) + "…" }
}
