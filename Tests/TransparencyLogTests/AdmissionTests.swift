import Receipts
import Testing
import Transparency
import TransparencyLog

@Suite struct AdmissionTests {
  private let statements = SignedStatements()

  private func refusal(_ bytes: [UInt8]) -> String {
    do {
      _ = try LogEntry(bytes)
      return "taken"
    } catch { return error.description }
  }

  @Test func aReceiptIsAnEntryByteForByte() throws {
    let envelope = try statements.envelope(1)
    let entry = try LogEntry(envelope.bytes)
    #expect(entry.bytes == envelope.bytes && entry.signer == statements.publicKey && entry.leaf == envelope.leafHash)
  }

  @Test func everythingElseIsRefused() throws {
    let envelope = try statements.envelope(1)
    let bytes = envelope.bytes
    #expect(refusal([]).contains("0 bytes"))
    #expect(refusal([UInt8](repeating: 0x20, count: 65_536)).contains("65536 bytes"))
    #expect(refusal(Array("{}".utf8)).contains("payload"))
    // The same JSON in another spelling would be a second entry.
    #expect(refusal(bytes + [0x0A]).contains("canonical"))
    #expect(refusal([0x20] + bytes).contains("canonical"))
    var signature = envelope.signature
    signature[0] ^= 1
    let other = Envelope(payload: envelope.payload, keyID: envelope.keyID, signature: signature)
    #expect(refusal(other.bytes).contains("signature"))
    // Signed by someone else, in this node's name.
    let stranger = NodeSigningKey(seed: Array(repeating: 2, count: 32))!
    #expect(refusal(Envelope(signing: envelope.payload, with: stranger).bytes).contains("signature"))
    let key = NodeSigningKey(seed: Array(repeating: 1, count: 32))!
    #expect(refusal(Envelope(signing: Array("{\"a\": 1}".utf8), with: key).bytes) != "taken")
    // A payload of another spelling, signed by its node.
    #expect(refusal(Envelope(signing: envelope.payload + [0x20], with: key).bytes).contains("canonical"))
    let unknown = String(decoding: envelope.payload, as: UTF8.self).replacing("answer/v1", with: "answer/v9")
    #expect(refusal(Envelope(signing: Array(unknown.utf8), with: key).bytes).contains("predicateType"))
  }

  @Test func aListAdmitsItsNodes() throws {
    let listed = try Admission.Nodes.parse("# nodes\n\n\(statements.publicKey.hex) this one\n")
    let entry = try LogEntry(statements.envelope(1).bytes)
    try Admission(listed, entriesPerSecond: nil).admit(entry)
    let stranger = try LogEntry(SignedStatements(seed: 2).envelope(1).bytes)
    #expect(throws: EntryRefusal.self) { try Admission(listed, entriesPerSecond: nil).admit(stranger) }
    #expect { try Admission.Nodes.parse("\n\(statements.publicKey.hex)\nabc\n") } throws: {
      "\($0)".hasPrefix("line 3")
    }
  }

  @Test func eachNodeHasItsRate() throws {
    let admission = Admission(.everyone, entriesPerSecond: 10)
    let entry = try LogEntry(statements.envelope(1).bytes)
    let other = try LogEntry(SignedStatements(seed: 2).envelope(1).bytes)
    let start = ContinuousClock.now
    for _ in 0..<10 { try admission.admit(entry, now: start) }
    #expect { try admission.admit(entry, now: start) } throws: { "\($0)".contains("too many") }
    try admission.admit(other, now: start)
    // A tenth of a second later there is one more, an hour later a second's worth.
    try admission.admit(entry, now: start + .milliseconds(100))
    #expect(throws: EntryRefusal.self) { try admission.admit(entry, now: start + .milliseconds(101)) }
    for _ in 0..<10 { try admission.admit(entry, now: start + .seconds(3600)) }
    #expect(throws: EntryRefusal.self) { try admission.admit(entry, now: start + .seconds(3600)) }
  }
}
