import Digests
import ModelGraph
import Receipts
import Tampering
import Testing
import Verification

/// Soundness: every field of statement, envelope and evidence file, mutated, removed and duplicated.
@Suite struct TamperTests {
  let node = TinyNode()
  let honest: EvidenceFile
  let fileTree: Tree
  let statementTree: Tree

  init() throws {
    honest = try node.file(try node.answer(.busy)).logged()
    fileTree = try Tree.canonical(honest.json)
    statementTree = try Tree.canonical(try JSON.parse(honest.receipt.payload))
  }

  var options: VerifierOptions {
    var options = node.options()
    options.expected.keys = [node.key.publicKey]
    options.expected.nonce = TinyNode.clientNonce.value
    return options
  }

  enum Signer: CaseIterable {
    /// The signature stays what it was.
    case nobody
    /// The node itself lies.
    case node
    /// Someone else signs, under the node's name.
    case stranger
  }

  /// The evidence file around an altered payload.
  func file(payload: String, _ signer: Signer) throws -> [UInt8] {
    let payload = Array(payload.utf8)
    let envelope =
      switch signer {
      case .nobody: Envelope(payload: payload, keyID: honest.receipt.keyID, signature: honest.receipt.signature)
      case .node: Envelope(signing: payload, with: node.key)
      case .stranger: Envelope(signing: payload, with: NodeSigningKey(seed: Array(repeating: 9, count: 32))!)
      }
    return try EvidenceFile(receipt: envelope, opening: honest.opening, model: honest.model).bytes()
  }

  /// - Parameter failures: exactly what must fail, in order; empty for what only the node's word supports.
  func expect(_ bytes: [UInt8], _ failures: [String], _ what: String) {
    let verdict = Verifier(options).verify(bytes)
    #expect(verdict.failures == failures, "\(what)")
    if !failures.isEmpty {
      #expect(verdict.outcome == .refuted && verdict.exitStatus == 1 && verdict.receipt == nil, "\(what)")
    }
  }

  @Test func honestEvidencePasses() throws {
    let verdict = Verifier(options).verify(try honest.bytes())
    #expect(verdict.failures.isEmpty && verdict.outcome == .verified)
    #expect(try Array(fileTree.text.utf8) == honest.bytes())
    #expect(Array(statementTree.text.utf8) == honest.receipt.payload)
  }

  @Test func everyFieldHasAnEntry() {
    let statementFields = Set(statementTree.places.map(Tree.name))
    #expect(statementFields == Set(TamperManifest.statement.keys))
    let fileFields = Set(fileTree.places.map(Tree.name).filter { !$0.hasPrefix("model.") })
    #expect(fileFields == Set(TamperManifest.file.keys))
    for entry in [TamperManifest.statement, TamperManifest.file].joined() {
      #expect(!entry.value.mutations.isEmpty, "\(entry.key)")
      #expect((entry.value.removed != nil) == entry.key.hasSuffix("[]"), "\(entry.key)")
    }
  }

  /// All tampers of the statement, with what follows when the node signs them.
  var statementTampers: [TamperTable.Tamper] {
    TamperTable(
      tree: statementTree, manifest: TamperManifest.statement, part: "statement", check: "statementStructure"
    ).all
  }

  var fileTampers: [TamperTable.Tamper] {
    TamperTable(tree: fileTree, manifest: TamperManifest.file, part: "evidence file", check: "fileStructure") {
      // A request without messages is taken for one with a prompt.
      $1 == "opening.request.messages" ? "opening.request.prompt" : $0
    }.all
  }

  @Test func everyTamperOfTheStatementIsRejectedByName() throws {
    var count = 0
    for tamper in statementTampers {
      let isReadable = !tamper.failures.contains { $0.hasPrefix("statementStructure") }
      for signer in Signer.allCases {
        var failures = tamper.failures
        if isReadable && signer != .node {
          // The other key's signature does not fit the node's key, and its name does not either.
          var form = ["signature.signatureInvalid"]
          if signer == .stranger || failures.contains("keyBinding.keyIDMismatch") {
            form.append("keyBinding.keyIDMismatch")
          }
          failures = form + failures.filter { !form.contains($0) }
        }
        expect(try file(payload: tamper.payload, signer), failures, "\(tamper.what), signed by \(signer)")
        if !failures.isEmpty { count += 1 }
      }
    }
    #expect(count >= 400)
    print("tampers of the statement: \(count)")
  }

  @Test func everyTamperOfTheFileIsRejectedByName() throws {
    let tampers = fileTampers
    for tamper in tampers {
      #expect(tamper.failures.isEmpty == TamperManifest.takesAway.contains(tamper.what), "\(tamper.what)")
      expect(Array(tamper.payload.utf8), tamper.failures, tamper.what)
    }
    #expect(tampers.count >= 150)
    print("tampers of envelope and file: \(tampers.count)")
  }

  /// The envelope on its own: the same fields, read without the file around them.
  @Test func everyTamperOfABareReceiptIsRejectedByName() throws {
    let tree = try Tree.canonical(honest.receipt.json)
    let prefix = "receipt."
    let manifest = Dictionary(
      uniqueKeysWithValues: TamperManifest.file.filter { $0.key.hasPrefix(prefix) }
        .map { (String($0.key.dropFirst(prefix.count)), $0.value) })
    for place in tree.places {
      let entry = try #require(manifest[Tree.name(place)])
      for mutation in entry.mutations {
        // A bare receipt brings no proof along.
        let failures = mutation.failures.filter { $0 != "inclusion.notIncluded" }.map {
          $0.replacing("in the evidence file, receipt.", with: "in the envelope, ")
        }
        expect(Array(tree.damaged(place[...], .set(mutation.value)).text.utf8), failures, Tree.name(place))
      }
    }
  }

  @Test func nothingReadableIsLeftWhenTheOpeningIsTakenAway() throws {
    let stripped = try EvidenceFile(receipt: honest.receipt, opening: nil, model: honest.model).bytes()
    let verdict = Verifier(options).verify(stripped)
    #expect(verdict.outcome == .unchecked && verdict.exitStatus == 2 && verdict.receipt == nil)
    #expect(verdict.outcome(of: .promptCommitment) == .skip(.noOpening))
  }

  /// Two fields at once, signed by the node: each lie is consistent with itself and not with the rest.
  @Test func lyingNodesAreRefuted() throws {
    let record = try node.answer(.busy)
    func lie(_ failures: [String], _ change: (inout AnswerRecord) -> Void) throws {
      var lying = record
      change(&lying)
      expect(try node.file(lying).bytes(), failures, "\(failures)")
    }
    try lie(["finish.endOfSequenceMissing"]) { $0.finish = .endOfSequence }
    try lie(["finish.tokenLimitHidden"]) { $0.finish = .clientCancelled }
    try lie(["decoding.stopStringMissing"]) { $0.finish = .stopString }
    try lie(["rendering.renderingDiffers"]) { $0.request = .chat([.init(role: "user", content: "Something else")]) }
    try lie(["decoding.textDiffers"]) { $0.text += "!" }
    try lie(["decoding.textDiffers", "replay.tokenDiffers"]) { $0.outputTokens[23] = $0.outputTokens[23] == 6 ? 7 : 6 }
    try lie(["finish.endOfSequenceInside", "decoding.textDiffers", "replay.tokenDiffers"]) { $0.outputTokens[3] = 0 }
    try lie(["outputTokens.outputTokenOutsideVocabulary"]) { $0.outputTokens[23] = 64 }
    try lie(["nonceBinding.nonceNotExpected", "replay.tokenDiffers"]) { $0.nonce = .init(source: .client, value: [1]) }
    try lie(["modelManifest.modelDigestMismatch"]) { $0.model = TinyModel(seed: 2).digest }
    try lie(["finish.tokenLimitNotReached"]) {
      $0.outputTokens.removeLast()
      $0.text = String(decoding: try! TinyRenderer().bytes(of: $0.outputTokens[...]), as: UTF8.self)
      $0.deliveredTokens = 23
    }
  }

  /// A stranger who replaces the key everywhere makes honest-looking evidence in its own name.
  @Test func anotherKeyIsNoticedByWhoeverNamesTheRightOne() throws {
    let stranger = TinyNode(key: NodeSigningKey(seed: Array(repeating: 9, count: 32))!)
    let bytes = try stranger.file(try stranger.answer(.busy)).bytes()
    expect(bytes, ["keyBinding.keyNotExpected"], "another key")
    #expect(Verifier(node.options()).verify(bytes).notChecked.contains { $0.hasPrefix("whose key signed") })
  }
}
