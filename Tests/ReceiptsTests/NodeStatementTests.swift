import Digests
import Receipts
import Testing

/// What a log admits: canonical, of a known type, signed by whom it names.
@Suite struct NodeStatementTests {
  let old = NodeSigningKey(seed: Array(repeating: 1, count: 32))!
  let new = NodeSigningKey(seed: Array(repeating: 2, count: 32))!
  static let time = "2026-02-28T12:34:56Z"

  var entries: [SignedEntry] {
    get throws {
      let claim = try ReceiptSigner(key: Sample.key).sign(Sample.record, salt: Sample.salt).receipt
      return [
        try SignedEntry(claim.envelope),
        SignedEntry(
          signing: .succession(KeySuccession(from: old.publicKey, to: new, time: Self.time)), with: old),
        SignedEntry(
          signing: .revocation(
            KeyRevocation(key: old.publicKey, from: Self.time, reason: "é \"x\"", signer: new.publicKey)), with: new),
      ]
    }
  }

  @Test func whatIsSignedIsAdmitted() throws {
    for entry in try entries {
      #expect(try SignedEntry.parse(entry.envelope.bytes) == entry)
      let payload = try JSON.parse(entry.envelope.payload)
      #expect(NodeStatement.predicateTypes.contains(try #require(payload["predicateType"]?.string)))
    }
    #expect(Set(NodeStatement.predicateTypes).count == 4)
  }

  @Test func otherSpellingsAndSignersAreRefused() throws {
    for signed in try entries {
      let bytes = signed.envelope.bytes
      #expect(throws: EntryRejection.notCanonical(.envelope)) { try SignedEntry.parse(bytes + [0x0A]) }
      let payload = signed.envelope.payload + [0x20]
      let loose = Envelope(signing: payload, with: signed.entry.signer == new.publicKey ? new : old)
      #expect(throws: EntryRejection.notCanonical(.statement)) { try SignedEntry(loose) }
      let stranger = NodeSigningKey(seed: Array(repeating: 9, count: 32))!
      let foreign = Envelope(signing: signed.envelope.payload, with: stranger)
      #expect(
        throws: EntryRejection.keyIDMismatch(stated: stranger.publicKey.id, signer: signed.entry.signer)
      ) { try SignedEntry(foreign) }
      let renamed = Envelope(
        payload: signed.envelope.payload, keyID: signed.entry.signer.id, signature: foreign.signature)
      #expect(throws: EntryRejection.notSigned(signed.entry.signer)) { try SignedEntry(renamed) }
      for length in stride(from: 0, to: bytes.count, by: 11) {
        #expect(throws: EntryRejection.self) { try SignedEntry.parse(Array(bytes[..<length])) }
      }
    }
    #expect(throws: EntryRejection.tooLong(byteCount: 65_536)) {
      try SignedEntry.parse(Array(repeating: 0x20, count: 65_536))
    }
    let strange = Envelope(signing: Array(#"{"_type":"https://in-toto.io/Statement/v1"}"#.utf8), with: old)
    #expect(throws: EntryRejection.self) { try SignedEntry(strange) }
  }

  /// Nobody becomes a successor without his own signature.
  @Test func aSuccessionNeedsConsent() throws {
    let succession = KeySuccession(from: old.publicKey, to: new, time: Self.time)
    #expect(succession.hasConsent)
    func replaced(_ key: String, _ value: String) throws -> Envelope {
      let text = String(decoding: NodeStatement.succession(succession).payload, as: UTF8.self)
      let member = try #require(try JSON.parse(Array(text.utf8))["predicate"]?[key]?.string)
      return Envelope(signing: Array(text.replacing(member, with: value).utf8), with: old)
    }
    let others = Base64.string(old.sign([1]))
    #expect(throws: EntryRejection.noConsent(new.publicKey)) { try SignedEntry(replaced("consent", others)) }
    #expect(throws: EntryRejection.noConsent(new.publicKey)) {
      try SignedEntry(replaced("time", "2026-02-28T12:34:57Z"))
    }
    #expect(throws: EntryRejection.self) { try SignedEntry(replaced("to", old.publicKey.hex)) }
  }
}
