import Digests
import Testing
import Transparency

@Suite struct CosignatureTests {
  /// The example of tlog-cosignature, "Ed25519 signed message".
  @Test func theMessageIsThatOfTheSpecification() {
    let text = "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    #expect(
      Cosignature.message(checkpointText: Array(text.utf8), timestamp: 1_679_315_147)
        == Array(("cosignature/v1\ntime 1679315147\n" + text).utf8))
  }

  @Test func everyPartIsBound() throws {
    let log = SampleLog(size: 3)
    let signed = try log.checkpoint(at: 3, witnesses: [])
    let witness = SampleLog.witnesses[0]
    let line = witness.cosign(signed.checkpoint, timestamp: 1_780_000_000)
    #expect(line.signature.count == 72 && line.name == "w1.example/witness")
    let cosignature = try #require(Cosignature(bytes: line.signature))
    #expect(cosignature.timestamp == 1_780_000_000 && cosignature.bytes == line.signature)
    #expect(cosignature.isMade(by: witness.verifierKey, of: signed.checkpoint.text))
    #expect(!cosignature.isMade(by: SampleLog.witnesses[1].verifierKey, of: signed.checkpoint.text))
    for bit in 0..<(72 * 8) {
      var bytes = line.signature
      bytes[bit / 8] ^= 1 << (bit % 8)
      #expect(Cosignature(bytes: bytes)?.isMade(by: witness.verifierKey, of: signed.checkpoint.text) != true)
    }
    for bit in 0..<(signed.checkpoint.text.count * 8) {
      var text = signed.checkpoint.text
      text[bit / 8] ^= 1 << (bit % 8)
      #expect(!cosignature.isMade(by: witness.verifierKey, of: text))
    }
    #expect(Cosignature(bytes: line.signature.dropLast()) == nil && Cosignature(bytes: line.signature + [0]) == nil)
    #expect(Cosignature(bytes: [0x80] + [UInt8](repeating: 0, count: 71)) == nil)
  }

  /// The two kinds of signature never pass for each other, even by one secret key of one name.
  @Test func kindsAreApart() throws {
    let seed = [UInt8](repeating: 8, count: 32)
    let log = try NoteSigner(name: "x.example", seed: seed)
    let witness = try CosignatureSigner(name: "x.example", seed: seed)
    let checkpoint = try Checkpoint(origin: "x.example", size: 1, root: .leaf([]))
    let asLog = try SignedCheckpoint(checkpoint, signatures: [log.sign(checkpoint)])
    let asWitness = try SignedCheckpoint(checkpoint, signatures: [witness.cosign(checkpoint, timestamp: 5)])
    #expect(throws: NoteRejection.noKnownSignature) { try asLog.note.verified(by: [witness.verifierKey]) }
    #expect(throws: NoteRejection.noKnownSignature) { try asWitness.note.verified(by: [log.verifierKey]) }
    #expect(try asWitness.note.verified(by: [witness.verifierKey]).map(\.timestamp) == [5])
  }
}
