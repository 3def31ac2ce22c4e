import Digests
import Foundation
import Receipts
import Testing

/// Properties of commitments and of the chain, over random inputs.
@Suite struct CommitmentTests {
  let seed =
    ProcessInfo.processInfo.environment["EVIDENT_SEED"].flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)

  @Test func chainDependsOnEveryTokenAndItsPlace() {
    print("EVIDENT_SEED=\(seed)")
    var random = Seeded(seed)
    for _ in 0..<300 {
      let salt = Salt((0..<32).map { _ in UInt8.random(in: 0...255, using: &random) })!
      let tokens = (0..<Int.random(in: 1...40, using: &random)).map { _ in Int32.random(in: 0...50, using: &random) }
      func head(_ tokens: some Sequence<Int32>) -> Digest<AnswerChain> {
        AnswerChain(salt: salt, receiptID: "rcpt_1", tokens: tokens).head
      }
      var chain = AnswerChain(salt: salt, receiptID: "rcpt_1")
      for (i, token) in tokens.enumerated() {
        #expect(chain.count == i && chain.head == head(tokens[..<i]), "EVIDENT_SEED=\(seed)")
        chain.append(token)
      }
      #expect(chain.head == head(tokens))
      var changed = tokens
      let i = Int.random(in: tokens.indices, using: &random)
      changed[i] += 1
      #expect(head(changed) != chain.head)
      #expect(head(tokens.dropLast()) != chain.head && head(tokens + [0]) != chain.head)
      if tokens != tokens.reversed() { #expect(head(tokens.reversed()) != chain.head) }
      #expect(AnswerChain(salt: salt, receiptID: "rcpt_2", tokens: tokens).head != chain.head)
    }
  }

  @Test func commitmentsBindContentSaltAndUse() {
    var random = Seeded(seed)
    var seen: Set<[UInt8]> = []
    for round in 0..<500 {
      let salt = Salt((0..<32).map { _ in UInt8.random(in: 0...255, using: &random) })!
      let tokens = (0..<(round % 7)).map { _ in Int32.random(in: 0...3, using: &random) }
      let text = String(
        decoding: (0..<(round % 5)).map { _ in UInt8.random(in: 97...99, using: &random) }, as: UTF8.self)
      // The same content under different uses, and different content under the same use, never meet.
      for bytes in [
        Commitment.inputTokens(tokens, salt: salt).bytes, Commitment.outputTokens(tokens, salt: salt).bytes,
        Commitment.text(text, salt: salt).bytes, Commitment.prompt(.completion(prompt: text), salt: salt).bytes,
        AnswerChain(salt: salt, receiptID: text + "r").head.bytes,
      ] { #expect(seen.insert(bytes).inserted, "EVIDENT_SEED=\(seed)") }
      #expect(Commitment.text(text, salt: salt) == Commitment.text(text, salt: salt))
    }
  }

  @Test func derivedSaltsDiffer() {
    let salts = DomainTag.allCases.map { Sample.salt.derived(for: $0) }
    #expect(Set(salts).count == salts.count)
  }
}

private struct Seeded: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ (state >> 29)
  }
}
