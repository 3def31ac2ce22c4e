import Receipts

/// The node's key signed exactly these bytes as exactly this kind of payload.
enum SignatureCheck: Check {
  static let name = CheckName.signature

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    let key = try evidence.claim().node.publicKey
    guard try evidence.readDocument().envelope.isSigned(by: key) else { return .fail(.signatureInvalid(key: key)) }
    return .pass("the node's key signed this statement")
  }
}
