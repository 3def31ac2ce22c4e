import Digests
import Testing
import Transparency

@Suite struct NoteTests {
  /// The example of the specification, "Verifier keys".
  static let exampleKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
  static let example = """
    This is an example message.

    — example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=

    """

  @Test func theSpecificationsExampleVerifies() throws {
    let key = try NoteVerifierKey(Self.exampleKey)
    #expect(key.description == Self.exampleKey && key.kind == .ed25519 && key.keyID == 0x530d_903a)
    let note = try Note(parsing: Array(Self.example.utf8))
    #expect(note.text == Array("This is an example message.\n".utf8) && note.bytes == Array(Self.example.utf8))
    let verified = try note.verified(by: [key])
    #expect(verified.map(\.key) == [key] && verified.map(\.timestamp) == [nil])
  }

  @Test func everyBitOfASignedNoteCounts() throws {
    let key = try NoteVerifierKey(Self.exampleKey)
    let bytes = Array(Self.example.utf8)
    for i in bytes.indices {
      for bit in 0..<8 {
        var damaged = bytes
        damaged[i] ^= 1 << bit
        #expect(throws: NoteRejection.self, "bit \(bit) of byte \(i)") {
          try Note(parsing: damaged).verified(by: [key])
        }
      }
    }
  }

  /// The poem of the specification has an empty line in its text.
  @Test func theTextEndsAtTheLastEmptyLine() throws {
    let poem = """
      Ognuno sta solo sul cuor della terra
      trafitto da un raggio di sole:

      ed è subito sera.

      — quasimodo.example/salvatore NnugSzTjtVAewIS+Z/iJhUPeFDkO/5QQ2i5ddnGITLlC+EhfLW9oJKONrMouFSQU0xMcXxj99ihAQwaqP3ZekRwNtIc=

      """
    let note = try Note(parsing: Array(poem.utf8))
    #expect(String(decoding: note.text, as: UTF8.self).hasSuffix("ed è subito sera.\n"))
    #expect(note.signatures.map(\.name) == ["quasimodo.example/salvatore"])
    #expect(throws: NoteRejection.noKnownSignature) { try note.verified(by: [try NoteVerifierKey(Self.exampleKey)]) }
  }

  static let signature = "AAAAAAAA"
  static let refused: [(String, NoteRejection)] = [
    ("", .unfinishedLine), ("text\n", .noSignatures), ("text\n\n", .noSignatures), ("\n", .noSignatures),
    ("text\n\n— a \(signature)", .unfinishedLine), ("text\n— a \(signature)\n", .noSignatures),
    ("text\n\n- a \(signature)\n", .signatureLine(3)), ("text\n\n—a \(signature)\n", .signatureLine(3)),
    ("text\n\n— a\n", .signatureLine(3)), ("text\n\n— a  \(signature)\n", .signatureLine(3)),
    ("text\n\n— a \(signature) \n", .signatureLine(3)), ("text\n\n—  \(signature)\n", .signatureName(line: 3)),
    ("text\n\n— a+b \(signature)\n", .signatureName(line: 3)),
    ("text\n\n— a\u{2003}b \(signature)\n", .signatureName(line: 3)),
    ("text\n\n— a\u{85}b \(signature)\n", .signatureName(line: 3)),
    ("text\n\n— \(String(repeating: "a", count: 256)) \(signature)\n", .signatureName(line: 3)),
    ("text\n\n— a AAAAAAA\n", .signatureBytes(line: 3)), ("text\n\n— a AAAA\n", .signatureBytes(line: 3)),
    ("text\n\n— a AAAAAA==\n", .signatureBytes(line: 3)), ("text\n\n— a AAAAAAB=\n", .signatureBytes(line: 3)),
    ("text\n\n— a AAAAAA\n", .signatureBytes(line: 3)), ("text\n\n— a AAAAAA-A\n", .signatureBytes(line: 3)),
    ("text\n\n— a \(String(repeating: "AAAA", count: 2733))\n", .signatureBytes(line: 3)),
    ("a\nb\n\n— a \(signature)\nc\n", .signatureLine(5)), ("a\tb\n\n— a \(signature)\n", .controlCharacter(9, line: 1)),
    ("a\n\n— a \(signature)\r\n", .controlCharacter(13, line: 3)),
    ("a\u{0}\n\n— a \(signature)\n", .controlCharacter(0, line: 1)),
    ("a\n\n" + String(repeating: "— a \(signature)\n", count: 101), .tooManySignatures(101)),
    (String(repeating: "a", count: (256 << 10) + 1), .tooLong(byteCount: (256 << 10) + 1)),
  ]

  @Test(arguments: refused.indices) func formsAreStrict(_ index: Int) {
    let (text, rejection) = Self.refused[index]
    #expect(throws: rejection) { try Note(parsing: Array(text.utf8)) }
    #expect(!rejection.description.contains("\n"))
  }

  @Test func bytesThatAreNotUTF8AreRefused() {
    for bytes: [UInt8] in [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xE2, 0x80]] {
      #expect(throws: NoteRejection.notUTF8) { try Note(parsing: bytes + Array("\n\n— a AAAAAAAA\n".utf8)) }
    }
  }

  @Test func hundredSignaturesAreRead() throws {
    let text = "a\n\n" + String(repeating: "— a \(Self.signature)\n", count: 100)
    #expect(try Note(parsing: Array(text.utf8)).signatures.count == 100)
  }

  /// Unknown keys are ignored even if they share name or ID with a known one; a known key's line must fit.
  @Test func knownKeysDecide() throws {
    let signer = try NoteSigner(name: "a.example/log", seed: [UInt8](repeating: 3, count: 32))
    let other = try NoteSigner(name: "a.example/log", seed: [UInt8](repeating: 4, count: 32))
    let text = Array("hello\n".utf8)
    let good = signer.sign(text)
    let known = [signer.verifierKey]
    func line(_ name: String, _ id: UInt32, _ signature: [UInt8]) throws -> NoteSignature {
      try NoteSignature(
        parsing: Array("— \(name) \(Base64.string(id.bigEndianBytes + signature))".utf8))
    }
    let noise = [UInt8](repeating: 7, count: 64)
    let id = signer.verifierKey.keyID
    let harmless = [
      try line("a.example/log", id ^ 1, noise), try line("b.example/log", id, noise), other.sign(text),
      try line("a.example/log", id ^ 1, [1]),
    ]
    #expect(try Note(text: text, signatures: harmless + [good]).verified(by: known).count == 1)
    #expect(throws: NoteRejection.noKnownSignature) { try Note(text: text, signatures: harmless).verified(by: known) }
    for wrong in [noise, [], [1], good.signature + [0], Array(good.signature.dropLast())] where !wrong.isEmpty {
      let note = try Note(text: text, signatures: [good, try line("a.example/log", id, wrong)])
      #expect(throws: NoteRejection.badSignature(name: "a.example/log", keyID: id)) { try note.verified(by: known) }
    }
    // The same key twice is one key; two keys of one name and ID cannot be told apart.
    #expect(try Note(text: text, signatures: [good, good]).verified(by: known + known).count == 2)
    #expect(try Note(text: text, signatures: [good]).adding([good]).signatures == [good])
    #expect(throws: NoteRejection.noKnownSignature) { try Note(text: text, signatures: [good]).verified(by: []) }
  }

  /// Swift's strings call these equal; two names they are.
  @Test func namesAreComparedByteByByte() throws {
    let composed = try NoteSigner(name: "caf\u{e9}", seed: [UInt8](repeating: 3, count: 32))
    let decomposed = try NoteSigner(name: "cafe\u{301}", seed: [UInt8](repeating: 3, count: 32))
    #expect("caf\u{e9}" == "cafe\u{301}")
    #expect(
      composed.verifierKey != decomposed.verifierKey && composed.verifierKey.keyID != decomposed.verifierKey.keyID)
    let text = Array("hello\n".utf8)
    let note = try Note(text: text, signatures: [composed.sign(text)])
    #expect(throws: NoteRejection.noKnownSignature) { try note.verified(by: [decomposed.verifierKey]) }
  }

  static let badKeys: [(String, NoteKeyRejection)] = [
    ("", .form), ("a+b", .form), ("a", .form), (String(repeating: "a", count: 3000), .form),
    ("+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", .name),
    ("a b+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", .name),
    ("example.com/foo+530D903A+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", .keyIDForm("530D903A")),
    ("example.com/foo+530d903+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", .keyIDForm("530d903")),
    (
      "example.com/foo+530d903b+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
      .keyID(found: 0x530d903b, wanted: 0x530d903a)
    ),
    (
      "example.com/fo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
      .keyID(found: 0x530d903a, wanted: 0x32a6_1d64)
    ),
    ("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2", .base64),
    ("example.com/foo+530d903a+", .base64),
    ("example.com/foo+530d903a+AQ==", .publicKey(byteCount: 0)),
    ("example.com/foo+530d903a+BukyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k", .unsupportedType(6)),
    ("example.com/foo+530d903a+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", .publicKey(byteCount: 32)),
  ]

  @Test(arguments: badKeys.indices) func keysAreReadStrictly(_ index: Int) {
    let (text, rejection) = Self.badKeys[index]
    #expect { try NoteVerifierKey(text) } throws: { error in
      switch (error as? NoteKeyRejection, rejection) {
      // Which ID would fit another name is not what this is about.
      case (.keyID(let found, _), .keyID(let wanted, _)): found == wanted
      case (let error?, _): error == rejection
      default: false
      }
    }
  }

  @Test func secretKeysAreReadAndWritten() throws {
    let seed = [UInt8](1...32)
    let log = try NoteSigner.secretKeyText(name: "log.example/a", seed: seed)
    #expect(log.hasPrefix("PRIVATE+KEY+log.example/a+"))
    #expect(try NoteSigner(log).verifierKey == NoteSigner(name: "log.example/a", seed: seed).verifierKey)
    let witness = try CosignatureSigner.secretKeyText(name: "log.example/a", seed: seed)
    let key = try CosignatureSigner(witness).verifierKey
    // One key for two uses has two IDs.
    #expect(
      try key.keyID != NoteSigner(log).verifierKey.keyID && key.publicKey == NoteSigner(log).verifierKey.publicKey)
    #expect(throws: NoteKeyRejection.wrongKind(.cosignature, wanted: .ed25519)) { try NoteSigner(witness) }
    #expect(throws: NoteKeyRejection.wrongKind(.ed25519, wanted: .cosignature)) { try CosignatureSigner(log) }
    #expect(throws: NoteKeyRejection.form) { try NoteSigner(String(log.dropFirst())) }
    #expect(throws: NoteKeyRejection.secretKey(byteCount: 31)) { try NoteSigner(name: "a", seed: [UInt8](1...31)) }
    #expect(throws: NoteKeyRejection.name) { try NoteSigner(name: "a b", seed: seed) }
  }
}
