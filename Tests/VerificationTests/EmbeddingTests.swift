import Digests
import Foundation
import ModelGraph
import Receipts
import Tampering
import Testing
import Verification

/// Evidence about embeddings: honest files pass, and every tampered field is refuted by name.
@Suite struct EmbeddingTests {
  let encoder = TinyEncoder.shared
  let honest: EvidenceFile
  let fileTree: Tree
  let statementTree: Tree

  init() throws {
    honest = try encoder.file(try encoder.embed()).logged()
    fileTree = try Tree.canonical(honest.json)
    statementTree = try Tree.canonical(try JSON.parse(honest.receipt.payload))
  }

  var options: VerifierOptions {
    var options = encoder.options()
    options.expected.keys = [TinyEncoder.key.publicKey]
    return options
  }

  func expect(_ bytes: [UInt8], _ failures: [String], _ what: String) {
    let verdict = Verifier(options).verify(bytes)
    #expect(verdict.failures == failures, "\(what)")
    if !failures.isEmpty {
      #expect(verdict.outcome == .refuted && verdict.exitStatus == 1 && verdict.receipt == nil, "\(what)")
    }
  }

  @Test func honestEmbeddingsPass() throws {
    for dimensions in [16, 5, 1] {
      let record = try encoder.embed(dimensions: dimensions)
      let verdict = Verifier(options).verify(try encoder.file(record).bytes())
      #expect(verdict.failures.isEmpty && verdict.outcome == .verified && verdict.randomness == nil)
      #expect(verdict.checks.map(\.check) == CheckName.ofEmbeddings)
      #expect(verdict.checks.allSatisfy { ($0.outcome.word == "PASS") != CheckName.ofLog.contains($0.check) })
      #expect(verdict.receipt?.levels == [.signed, .replayed])
      let text = verdict.text(color: false)
      #expect(text.contains("VERIFIED: signed, replayed") && text.contains("embedded Evident, exactly."))
      // Length 1, in units of 2^-24: an element is off by at most half a unit, the root by one part in 2^15.
      for vector in record.vectors {
        let square = vector.values.reduce(0) { $0 + Int($1) * Int($1) }
        #expect(vector.exponent == -24 && abs(square - 1 << 48) < 1 << 34, "\(square)")
      }
    }
  }

  @Test func fewerDimensionsAreTheFirstOnesAnew() throws {
    let whole = try encoder.embed().vectors[0].values
    let part = try encoder.embed(dimensions: 5).vectors[0].values
    // The same direction: cross products vanish next to the products themselves.
    for i in 0..<5 {
      for j in 0..<5 {
        let cross = Int(whole[i]) * Int(part[j]) - Int(whole[j]) * Int(part[i])
        #expect(abs(cross) < 1 << 28)
      }
    }
  }

  @Test func aReceiptAloneRevealsNothing() throws {
    let payload = String(decoding: honest.receipt.payload, as: UTF8.self)
    for word in ["Evident", "exactly", "33"] where word != "33" { #expect(!payload.contains(word)) }
    #expect(try SignedReceipt.parse(honest.receipt.bytes).claim.kind == .embedding)
    var options = options
    options.receiptOnly = true
    options.replay = false
    let verdict = Verifier(options).verify(honest.receipt.bytes)
    #expect(verdict.exitStatus == 0 && verdict.receipt?.opening == nil)
    #expect(Verifier(encoder.options(replay: false)).verify(honest.receipt.bytes).exitStatus == 2)
  }

  @Test func everyFieldHasAnEntry() {
    #expect(Set(statementTree.places.map(Tree.name)) == Set(EmbeddingTamperManifest.statement.keys))
    let fileFields = Set(fileTree.places.map(Tree.name).filter { !$0.hasPrefix("model.") })
    #expect(fileFields == Set(EmbeddingTamperManifest.file.keys))
    for entry in [EmbeddingTamperManifest.statement, EmbeddingTamperManifest.file].joined() {
      #expect(!entry.value.mutations.isEmpty, "\(entry.key)")
      #expect((entry.value.removed != nil) == entry.key.hasSuffix("[]"), "\(entry.key)")
    }
  }

  @Test func everyTamperOfTheStatementIsRejectedByName() throws {
    let tampers = TamperTable(
      tree: statementTree, manifest: EmbeddingTamperManifest.statement, part: "statement",
      check: "statementStructure"
    ).all
    for tamper in tampers {
      let isReadable = !tamper.failures.contains { $0.hasPrefix("statementStructure") }
      let payload = Array(tamper.payload.utf8)
      let byNode = Envelope(signing: payload, with: TinyEncoder.key)
      let byNobody = Envelope(payload: payload, keyID: honest.receipt.keyID, signature: honest.receipt.signature)
      func file(_ envelope: Envelope) throws -> [UInt8] {
        try EvidenceFile(receipt: envelope, opening: honest.opening, model: honest.model).bytes()
      }
      expect(try file(byNode), tamper.failures, "\(tamper.what), signed by the node")
      let unsigned = tamper.failures.first.map { $0.hasPrefix("signature") } ?? false
      if isReadable && !unsigned {
        let failures = ["signature.signatureInvalid"] + tamper.failures
        expect(try file(byNobody), failures, "\(tamper.what), signed by nobody")
      }
    }
    #expect(tampers.count >= 100)
    print("tampers of statements about embeddings: \(tampers.count)")
  }

  @Test func everyTamperOfTheFileIsRejectedByName() throws {
    let tampers = TamperTable(
      tree: fileTree, manifest: EmbeddingTamperManifest.file, part: "evidence file", check: "fileStructure"
    ) { path, name in
      // An opening without vectors is taken for one of an answer, whose request is another.
      name == "opening.vectors" ? "opening.request.prompt" : path
    }.all
    for tamper in tampers {
      #expect(tamper.failures.isEmpty == TamperManifest.takesAway.contains(tamper.what), "\(tamper.what)")
      expect(Array(tamper.payload.utf8), tamper.failures, tamper.what)
    }
    #expect(tampers.count >= 150)
    print("tampers of evidence files about embeddings: \(tampers.count)")
  }

  /// Two fields at once, signed by the node: each lie is consistent with itself and not with the rest.
  @Test func lyingNodesAreRefuted() throws {
    func lie(_ failures: [String], _ change: (inout EmbeddingRecord) -> Void) throws {
      var lying = try encoder.embed()
      change(&lying)
      expect(try encoder.file(lying).bytes(), failures, "\(failures)")
    }
    try lie(["replay.vectorDiffers"]) { $0.vectors[1].values[3] += 1 }
    try lie(["replay.vectorDiffers"]) { $0.vectors[2].exponent += 1 }
    try lie(["replay.vectorDiffers"]) { $0.vectors.swapAt(0, 2) }
    try lie(["rendering.renderingDiffers", "replay.vectorDiffers"]) { $0.inputTokens[0][2] += 1 }
    try lie(["rendering.renderingDiffers"]) {
      $0.request = .init(inputs: [.text("x"), .tokens([9, 1, 33]), .text("y")])
    }
    try lie(["inputTokens.inputTokenOutsideVocabulary", "rendering.renderingDiffers"]) { $0.inputTokens[1][0] = 64 }
    try lie(["modelManifest.modelDigestMismatch"]) { $0.model = TinyEncoder(seed: 4).digest }
    try lie(["parameters.dimensionsExceeded"]) {
      $0.dimensions = 17
      for i in $0.vectors.indices { $0.vectors[i].values.append(0) }
    }
    try lie(["vectors.vectorLengthMismatch", "replay.vectorDiffers"]) { $0.dimensions = 15 }
  }

  @Test func expectationsAreCompared() throws {
    let bytes = try honest.bytes()
    func failures(_ change: (inout VerifierOptions.Expectations) -> Void) -> [String] {
      var options = encoder.options()
      change(&options.expected)
      return Verifier(options).verify(bytes).failures
    }
    let vectors = try encoder.embed().vectors
    #expect(failures { ($0.embeddingRequest, $0.vectors) = (TinyEncoder.request, vectors) } == [])
    #expect(
      failures { $0.embeddingRequest = .init(inputs: [.text("x")]) } == ["promptCommitment.requestNotExpected"])
    #expect(failures { $0.vectors = vectors.reversed() } == ["vectors.vectorsNotExpected"])
  }

  /// 2^21 elements of all vectors together, and not one more.
  @Test func elementsAreBounded() throws {
    let text = String(decoding: try honest.bytes(), as: UTF8.self)
    let start = try #require(text.range(of: "\"vectors\":[")?.upperBound)
    let end = try #require(text.range(of: "]},\"receipt\"")?.lowerBound)
    func vector(_ count: Int) -> String {
      "{\"exponent\":0,\"values\":[" + Array(repeating: "0", count: count).joined(separator: ",") + "]}"
    }
    let most = Array(repeating: vector(1 << 14), count: 128)
    for vectors in [most, most + [vector(1)]] {
      let file = text.replacingCharacters(in: start..<end, with: vectors.joined(separator: ","))
      let read = Result { () throws(Rejection) in try EvidenceFile.parse(Array(file.utf8)) }
      #expect((try? read.get()) != nil || "\(read)".contains("values.total"))
      #expect(((try? read.get()) != nil) == (vectors.count == 128))
    }
  }

  /// An answer's opening beside a statement about embeddings, and the other way round.
  @Test func kindsAreNotMixed() throws {
    let node = TinyNode()
    let answer = try node.file(try node.answer(.busy))
    let mixed = try EvidenceFile(receipt: honest.receipt, opening: answer.opening, model: honest.model).bytes()
    expect(mixed, ["promptCommitment.openingOfAnotherKind"], "an answer's opening")
    var options = node.options()
    options.expected.keys = [node.key.publicKey]
    let other = try EvidenceFile(receipt: answer.receipt, opening: honest.opening, model: answer.model).bytes()
    #expect(Verifier(options).verify(other).failures == ["promptCommitment.openingOfAnotherKind"])
  }
}
