import Digests
import ModelGraph
import Receipts
import TestSupport
import Testing
import Verification

/// Levels, exit statuses, expectations, and what people and programs get to read.
@Suite struct VerdictTests {
  let node = TinyNode()

  func honest() throws -> EvidenceFile { try node.file(try node.answer(.busy)) }

  @Test func withoutReplayTheAnswerIsOnlySigned() throws {
    let verdict = Verifier(node.options(replay: false)).verify(try honest().bytes())
    #expect(verdict.exitStatus == 0)
    #expect(verdict.receipt?.levels == [.signed])
    #expect(verdict.outcome(of: .replay) == .skip(.notAsked))
    #expect(verdict.outcome(of: .rendering).word == "PASS")
    #expect(verdict.levels.map(\.level) == Level.allCases)
    #expect(verdict.levels.filter { $0.state == .established }.map(\.level) == [.signed])
    #expect(verdict.notChecked.contains("replay: not asked for"))
    #expect(verdict.stillTrusted.first?.contains("the node") == true)
  }

  @Test func aMachineWithoutTheModelCannotReplay() throws {
    let bytes = try honest().bytes()
    #expect(Verifier().verify(bytes).exitStatus == 0)
    var options = VerifierOptions()
    options.replay = true
    let verdict = Verifier(options).verify(bytes)
    #expect(verdict.outcome == .unchecked && verdict.exitStatus == 2 && verdict.receipt == nil)
    #expect(verdict.outcome(of: .rendering) == .skip(.modelNotHere))
    #expect(verdict.outcome(of: .replay) == .skip(.modelNotHere))
    #expect(verdict.text(color: false).contains("hint: import the model"))
  }

  @Test func aBareReceiptIsEnoughOnlyWhenAskedSo() throws {
    let receipt = try honest().receipt.bytes
    let verdict = Verifier(node.options(replay: false)).verify(receipt)
    #expect(verdict.failures.isEmpty && verdict.exitStatus == 2)
    #expect(verdict.outcome(of: .signature).word == "PASS")
    #expect(verdict.outcome(of: .modelManifest) == .skip(.noModelManifest))
    var options = node.options(replay: false)
    options.receiptOnly = true
    let asked = Verifier(options).verify(receipt)
    #expect(asked.exitStatus == 0 && asked.receipt != nil && asked.receipt?.opening == nil)
    #expect(asked.notChecked.contains { $0.hasPrefix("prompt:") })
  }

  @Test func expectationsAreCompared() throws {
    let bytes = try honest().bytes()
    func failures(_ change: (inout VerifierOptions.Expectations) -> Void) -> [String] {
      var options = node.options()
      change(&options.expected)
      return Verifier(options).verify(bytes).failures
    }
    let record = try node.answer(.busy)
    #expect(
      failures {
        $0.keys = [node.key.publicKey]
        $0.model = node.model.digest
        $0.nonce = TinyNode.clientNonce.value
        $0.request = TinyNode.chat
        $0.text = record.text
      } == [])
    #expect(
      failures { $0.keys = [NodeSigningKey(seed: Array(repeating: 1, count: 32))!.publicKey] } == [
        "keyBinding.keyNotExpected"
      ])
    #expect(failures { $0.model = TinyModel(seed: 2).digest } == ["modelManifest.modelNotExpected"])
    #expect(failures { $0.nonce = [1] } == ["nonceBinding.nonceNotExpected"])
    #expect(failures { $0.request = .completion(prompt: "x") } == ["promptCommitment.requestNotExpected"])
    #expect(failures { $0.text = record.text + " " } == ["textCommitment.textNotExpected"])
  }

  @Test func nodesMayNotLeaveRandomnessOpen() throws {
    var record = try node.answer(.busy)
    record.parameters = try SamplingParameters(temperatureMicros: 1_000_000, maxTokens: 24)
    record.nonce = .none
    let verdict = Verifier(node.options()).verify(try node.file(record).bytes())
    #expect(verdict.failures.first == "nonceBinding.randomnessUnbound")
  }

  @Test func aRecomputationThatFailsRefutesNothing() throws {
    struct Broken: Recomputation {
      struct Reason: Error, CustomStringConvertible { let description = "no memory" }
      enum Kind { case throwing, silent, outOfOrder, wrongWidth }
      let kind: Kind
      var description: String { "a broken machine" }
      func embedding(for tokens: [Int32], dimensions: Int) throws -> EmbeddingVector { throw Reason() }
      func logits(for tokens: [Int32], from first: Int, _ body: (Int, Logits) throws -> Bool) throws {
        switch kind {
        case .throwing: throw Reason()
        case .silent: break
        case .outOfOrder: _ = try body(first + 1, Logits(values: Array(repeating: 0, count: 64), exponent: 0))
        case .wrongWidth: _ = try body(first, Logits(values: [1], exponent: 0))
        }
      }
    }
    struct Library: ModelLibrary {
      let kind: Broken.Kind
      func renderer(for model: Digest<ModelManifest>) -> (any PromptRenderer)? { TinyRenderer() }
      func recomputation(for model: Digest<ModelManifest>) -> (any Recomputation)? { Broken(kind: kind) }
    }
    for kind in [Broken.Kind.throwing, .silent, .outOfOrder, .wrongWidth] {
      var options = node.options()
      options.models = Library(kind: kind)
      let verdict = Verifier(options).verify(try honest().bytes())
      #expect(verdict.outcome == .unchecked && verdict.failures.isEmpty)
      #expect(verdict.outcome(of: .replay).word == "SKIP")
    }
  }

  @Test func everyCheckHasALineInTextAndJSON() throws {
    let file = try honest().logged()
    var options = node.options()
    options.observation = try file.observation()
    let verdict = Verifier(options).verify(try file.bytes())
    let text = verdict.text(color: false)
    for check in CheckName.ofAnswers { #expect(text.contains("PASS \(check.title)")) }
    for level in Level.allCases { #expect(text.contains("\n\(level.rawValue)")) }
    #expect(text.contains("VERIFIED: signed, logged, replayed") && !text.contains("\u{1B}"))
    #expect(verdict.text(color: true).contains("\u{1B}[32mPASS\u{1B}[0m"))
    let json = try JSON.parse(verdict.json.canonicalBytes())
    #expect(json["verdict"]?.string == "verified" && json["exitStatus"]?.integer == 0)
    #expect(json["checks"]?.array?.count == CheckName.ofAnswers.count)
    #expect(json["levels"]?.array?.count == 6)
    #expect(json["randomness"]?.string?.contains("client") == true)
  }

  @Test func whatOthersWroteCannotSteerTheTerminal() throws {
    var record = try node.answer(.busy)
    record.requestedName = "\u{1B}[2J\u{202E}PASS\nPASS signature"
    let text = Verifier(node.options()).verify(try node.file(record).bytes()).text(color: false)
    #expect(!text.contains("\u{1B}") && !text.contains("\u{202E}") && !text.contains("\nPASS signature\""))
    #expect(text.contains("\u{FFFD}[2J\u{FFFD}PASS PASS signature"))
  }

  @Test func stopStringsAreFoundWhereTheyBegin() {
    let search = StopSearch(["abac", "b", "aa"])
    #expect(search.first(in: Array("xxabab".utf8)) == 3)
    #expect(search.first(in: Array("ccaac".utf8)) == 2)
    #expect(search.first(in: Array("c".utf8)) == nil && search.first(in: []) == nil)
    var random = SplitMix64(seed: 5)
    for _ in 0..<2000 {
      func text(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 97...98, using: &random) } }
      let stops = (0..<3).map { _ in String(decoding: text(Int.random(in: 1...4, using: &random)), as: UTF8.self) }
      let bytes = text(Int.random(in: 0...12, using: &random))
      let plain = bytes.indices.first { i in stops.contains { bytes[i...].starts(with: $0.utf8) } }
      #expect(StopSearch(stops).first(in: bytes) == plain)
    }
  }
}
