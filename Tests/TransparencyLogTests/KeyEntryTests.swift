import Digests
import Receipts
import Testing
import Transparency
import TransparencyLog

/// A log takes what nodes say about their keys, from whoever it is about.
@Suite struct KeyEntryTests {
  let old = NodeSigningKey(seed: Array(repeating: 1, count: 32))!
  let new = NodeSigningKey(seed: Array(repeating: 2, count: 32))!
  static let time = "2026-11-24T12:00:00Z"

  @Test func successionsAndRevocationsAreTaken() throws {
    let succession = SignedEntry(
      signing: .succession(KeySuccession(from: old.publicKey, to: new, time: Self.time)), with: old)
    let revocation = SignedEntry(
      signing: .revocation(
        KeyRevocation(key: old.publicKey, from: Self.time, reason: "stolen", signer: new.publicKey)), with: new)
    for (signed, signer) in [(succession, old), (revocation, new)] {
      let entry = try SignedEntry.parse(signed.envelope.bytes)
      #expect(entry.entry.signer == signer.publicKey && entry.envelope == signed.envelope)
      try Admission(.everyone, entriesPerSecond: nil).admit(entry)
    }
  }

  @Test func withoutConsentOrBySomebodyElseTheyAreNot() throws {
    let succession = KeySuccession(from: old.publicKey, to: new, time: Self.time)
    let later = KeySuccession(from: old.publicKey, to: new, time: "2026-11-24T12:00:01Z")
    let text = String(decoding: NodeStatement.succession(succession).payload, as: UTF8.self)
    let consents = [succession, later].map { $0.json["predicate"]!["consent"]!.string! }
    let swapped = Envelope(signing: Array(text.replacing(consents[0], with: consents[1]).utf8), with: old)
    #expect(throws: EntryRejection.self) { try SignedEntry.parse(swapped.bytes) }
    let foreign = Envelope(signing: Array(text.utf8), with: new)
    #expect(throws: EntryRejection.self) { try SignedEntry.parse(foreign.bytes) }
  }
}
