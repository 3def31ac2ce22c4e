import Digests
import ModelSigning
import Receipts
import Tampering
import Testing

/// Soundness: every field of bundle and statement, mutated, removed and duplicated.
@Suite struct TamperTests {
  let signer: TrustedSigner
  let key: SigningPrivateKey
  let bundleTree: Tree
  let statementTree: Tree
  let bundleManifest: [String: TamperManifest.Entry]

  init() throws {
    signer = try Fixture.signer("p256")
    key = try Fixture.privateKey()
    let honest = try Fixture.bytes("p256.sig")
    bundleTree = Tree(try JSON.parse(honest))
    statementTree = Tree(try JSON.parse(SignatureBundle(honest).payload))
    bundleManifest = TamperManifest.bundle(fingerprint: signer.key.fingerprint)
  }

  /// As ``Fixture/outcome(_:trusted:companion:folder:)``, without what only says where in the bytes.
  private func outcome(_ signature: [UInt8]) -> String {
    let text = Fixture.outcome(signature, trusted: [signer])
    if let at = text.firstRange(of: " in a JSON object at byte ") { return String(text[..<at.lowerBound]) }
    return text
  }

  @Test func everyFieldHasAnEntry() {
    #expect(Set(bundleTree.places.map(Tree.name)) == Set(bundleManifest.keys))
    #expect(Set(statementTree.places.map(Tree.name)) == Set(TamperManifest.statement.keys))
    for entry in [TamperManifest.statement, bundleManifest].joined() {
      #expect(!entry.value.mutations.isEmpty, "\(entry.key)")
      #expect((entry.value.duplicated != nil) == entry.key.hasSuffix("[]"), "\(entry.key)")
      #expect(!entry.key.hasSuffix("[]") || entry.value.removed != nil, "\(entry.key)")
    }
  }

  private func tampers(
    of tree: Tree, _ manifest: [String: TamperManifest.Entry], part: String, open: Set<String>
  ) throws -> [(what: String, text: String, outcome: String)] {
    var out: [(what: String, text: String, outcome: String)] = []
    func add(_ what: String, _ place: [Tree.Step], _ damage: Tree.Damage, _ outcome: String) {
      out.append((what, tree.damaged(place[...], damage).text, outcome))
    }
    for place in tree.places {
      let (name, path) = (Tree.name(place), Tree.path(place))
      let entry = try #require(manifest[name])
      for mutation in entry.mutations {
        add("\(name) = \(mutation.value.text().prefix(80))", place, .set(mutation.value), mutation.outcome)
      }
      add("without \(name)", place, .remove, entry.removed ?? "in the \(part), \(path) is missing")
      if case .member(let key) = place.last {
        add("\(name) twice", place, .duplicate, "the \(part) cannot be read: duplicate key \"\(key)\"")
      } else {
        add("\(name) twice", place, .duplicate, try #require(entry.duplicated))
      }
    }
    for place in [[]] + tree.places {
      guard case .object = tree[place[...]] else { continue }
      let (name, path) = (Tree.name(place), (Tree.path(place).isEmpty ? "" : Tree.path(place) + ".") + "extra")
      add(
        "\(path) added", place, .add("extra"),
        open.contains(name)
          ? TamperManifest.trusted : "in the \(part), \(path) is not a member that the specification knows")
    }
    return out
  }

  @Test func everyTamperOfTheBundleIsRejectedByName() throws {
    let tampers = try tampers(of: bundleTree, bundleManifest, part: "signature file", open: [])
    for tamper in tampers { #expect(outcome(Array(tamper.text.utf8)) == tamper.outcome, "\(tamper.what)") }
    print("tampers of the signature file: \(tampers.count)")
    #expect(tampers.count >= 50)
  }

  @Test func everyTamperOfTheStatementIsRejectedByName() throws {
    let tampers = try tampers(
      of: statementTree, TamperManifest.statement, part: "signed statement", open: TamperManifest.open)
    let original = try SignatureBundle(Fixture.bytes("p256.sig"))
    let stranger = SigningPrivateKey()
    let invalid = "the signature was not made by the key that it names, \(signer.key.fingerprint)"
    for tamper in tampers {
      let payload = Array(tamper.text.utf8)
      // The signer signs it.
      let signed = outcome(SignatureBundle(signing: payload, with: key).bytes)
      if tamper.outcome.hasPrefix("INCONSISTENT") {
        #expect(signed.hasPrefix("the files that the signed statement lists have the digest "), "\(tamper.what)")
        #expect(signed.hasSuffix(String(tamper.outcome.dropFirst(13))), "\(tamper.what)")
      } else {
        #expect(signed == tamper.outcome, "\(tamper.what), signed by the signer")
      }
      // Nobody signs it: the old signature stays.
      let unsigned = bundleTree.damaged([.member("dsseEnvelope"), .member("payload")], .set(base64(payload)))
      #expect(outcome(Array(unsigned.text.utf8)) == invalid, "\(tamper.what), signed by nobody")
      // A stranger signs it in the signer's name, and in its own.
      let forged = SignatureBundle(signing: payload, with: stranger).bytes
      let named = Tree(try JSON.parse(forged))
        .damaged(
          [.member("verificationMaterial"), .member("publicKey"), .member("hint")],
          .set(.string(signer.key.fingerprint)))
      #expect(outcome(Array(named.text.utf8)) == invalid, "\(tamper.what), signed by a stranger in the signer's name")
      #expect(!outcome(forged).hasPrefix("trusted"), "\(tamper.what), signed by a stranger")
    }
    #expect(original.isSigned(by: signer.key))
    print("tampers of the statement: \(4 * tampers.count)")
    #expect(tampers.count >= 60)
  }

  private func base64(_ bytes: [UInt8]) -> JSON {
    // The bundle writes it as the standard says.
    (try? JSON.parse(SignatureBundle(signing: bytes, with: key).bytes))?["dsseEnvelope"]?["payload"] ?? .null
  }

  /// Statements that fit together in themselves, and not to the files.
  @Test func consistentLiesAreRefutedByTheFiles() throws {
    let truth = try ModelStatement(SignatureBundle(Fixture.bytes("p256.sig")).payload)
    func lie(_ files: [SignedFile], ignoring: [String] = []) -> String {
      let statement = ModelStatement(modelName: "model", ignoredPaths: ignoring, files: files)
      return outcome(SignatureBundle(signing: statement.bytes, with: key).bytes)
    }
    let differ = "the files are not those that were signed: "
    #expect(lie(truth.files) == "trusted p256")
    #expect(lie(Array(truth.files.dropFirst())) == differ + "not signed: \".hidden\"")
    #expect(lie(Array(truth.files.dropFirst()), ignoring: [".hidden"]) == "trusted p256")
    #expect(lie(truth.files + [SignedFile(name: "more", digest: Digest(of: []))]) == differ + "missing: \"more\"")
    #expect(
      lie(truth.files.map { $0.name == "a.txt" ? SignedFile(name: "a.txt", digest: Digest(of: [])) : $0 })
        == differ + "changed: \"a.txt\"")
    #expect(lie([SignedFile(name: ".", digest: Digest(of: []))]).contains("missing: \".\""))
  }

  /// One bit anywhere in the file, and it is no longer the signer's word.
  @Test func everyBitOfASignatureCounts() throws {
    let honest = try Fixture.bytes("p256.sig")
    for i in honest.indices {
      var bytes = honest
      bytes[i] ^= 1 << UInt8(i % 8)
      let result = outcome(bytes)
      #expect(!result.hasPrefix("trusted"), "byte \(i): \(result)")
    }
  }

  /// Random damage, several places at once: an answer every time, and never a trap.
  @Test func damagedSignaturesAreAnswered() throws {
    var generator = SeededGenerator(for: "TamperTests.damagedSignaturesAreAnswered")
    let seeds = try ["p256", "p384", "p521", "shards", "certificate", "single"].map { try Fixture.bytes("\($0).sig") }
    for _ in 0..<3000 {
      var bytes = seeds.randomElement(using: &generator)!
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        let at = Int.random(in: 0..<bytes.count, using: &generator)
        switch Int.random(in: 0..<4, using: &generator) {
        case 0: bytes[at] = UInt8.random(in: 0...255, using: &generator)
        case 1: bytes.removeSubrange(at..<min(bytes.count, at + Int.random(in: 1...40, using: &generator)))
        case 2: bytes.insert(contentsOf: "[{\"-9e99".utf8, at: at)
        default: bytes.removeLast(min(bytes.count - 1, Int.random(in: 0...40, using: &generator)))
        }
      }
      let text = outcome(bytes)
      #expect(!text.isEmpty && text.utf8.count < 4096 && !text.contains("\n"))
    }
  }
}
