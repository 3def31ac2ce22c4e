import Receipts

/// The envelope names the key that the statement names, and it is one that the caller accepts.
enum KeyBindingCheck: Check {
  static let name = CheckName.keyBinding

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    let key = try evidence.claim().node.publicKey
    let stated = try evidence.readDocument().envelope.keyID
    guard stated == key.id else { return .fail(.keyIDMismatch(stated: stated, found: key.id)) }
    let accepted = evidence.options.expected.keys
    if accepted.isEmpty { return .pass("the key is \(key); you named none, so it may be anyone's") }
    if accepted.contains(key) { return .pass("the key is \(key), which you accept") }
    guard let trust = evidence.trust,
      let history = try? NodeKeyChain(try evidence.readDocument().keys, under: trust),
      let predecessor = history.leads(from: accepted, to: key)
    else { return .fail(.keyNotExpected(key)) }
    return .pass("the key is \(key), a successor of \(predecessor), which you accept")
  }
}
