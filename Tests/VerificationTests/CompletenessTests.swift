import Digests
import ModelGraph
import Receipts
import Testing
import Verification

/// Honest evidence passes, in each way an answer can go.
@Suite struct CompletenessTests {
  let node = TinyNode()

  func expectVerified(_ record: AnswerRecord, _ finish: Finish, sourceLocation: SourceLocation = #_sourceLocation)
    throws
  {
    #expect(record.finish == finish, sourceLocation: sourceLocation)
    let verdict = Verifier(node.options()).verify(try node.file(record).bytes())
    #expect(verdict.failures.isEmpty, sourceLocation: sourceLocation)
    #expect(verdict.outcome == .verified && verdict.exitStatus == 0, sourceLocation: sourceLocation)
    #expect(verdict.checks.map(\.check) == CheckName.ofAnswers, sourceLocation: sourceLocation)
    #expect(
      verdict.checks.allSatisfy { ($0.outcome.word == "PASS") != CheckName.ofLog.contains($0.check) },
      sourceLocation: sourceLocation)
    #expect(verdict.receipt?.levels == [.signed, .replayed], sourceLocation: sourceLocation)
  }

  @Test func tokenLimit() throws {
    let record = try node.answer(.busy)
    // Otherwise sampling would hardly be tested.
    #expect(Set(record.outputTokens).count > 8, "\(record.text)")
    try expectVerified(record, .tokenLimit)
  }

  @Test func endOfSequence() throws {
    let parameters = try SamplingParameters(logitBias: [.init(token: 0, micros: 100_000_000)], maxTokens: 5)
    let record = try node.answer(parameters, nonce: .none)
    #expect(record.outputTokens == [0] && record.text.isEmpty)
    try expectVerified(record, .endOfSequence)
  }

  @Test func stopString() throws {
    func parameters(_ stop: [String]) throws -> SamplingParameters {
      try SamplingParameters(
        frequencyPenaltyMicros: 2_000_000, presencePenaltyMicros: 2_000_000,
        // Neither an end nor halves of a character.
        logitBias: [0, 62, 63].map { .init(token: $0, micros: -100_000_000) }, maxTokens: 30, stop: stop)
    }
    let whole = Array(try node.answer(parameters([]), nonce: .none).text.utf8)
    // Two tokens that had not followed each other before.
    let end = try #require(
      (4..<whole.count).first { end in
        !(1..<end).contains { whole[($0 - 1)...$0].elementsEqual(whole[(end - 1)...end]) }
      })
    let stop = String(decoding: whole[(end - 1)...end], as: UTF8.self)
    let record = try node.answer(parameters(["never said", stop]), nonce: .none)
    #expect(record.text.utf8.elementsEqual(whole[..<(end - 1)]) && record.outputTokens.count < 30)
    try expectVerified(record, .stopString)
  }

  @Test func cutStream() throws {
    let record = try node.answer(.busy, cut: 6)
    #expect(record.outputTokens.count == 7 && record.deliveredTokens == 6)
    try expectVerified(record, .clientCancelled)
    try expectVerified(try node.answer(.busy, cut: 0), .clientCancelled)
  }

  @Test func completionEndpointAndOtherNonces() throws {
    let prompt = Request.completion(prompt: "Once upon a time")
    try expectVerified(try node.answer(.busy, to: prompt, nonce: .none), .tokenLimit)
    let parameters = try SamplingParameters(temperatureMicros: 1_000_000, maxTokens: 9)
    let nonce = Statement.Nonce(source: .node, value: Array(repeating: 3, count: 32))
    let record = try node.answer(parameters, to: prompt, nonce: nonce)
    try expectVerified(record, record.finish)
    let verdict = Verifier(node.options()).verify(try node.file(record).bytes())
    #expect(verdict.randomness?.hasPrefix("the node chose the randomness") == true)
  }

  @Test func anAnswerThatEndsInsideACharacterIsRepaired() throws {
    let parameters = try SamplingParameters(logitBias: [.init(token: 62, micros: 100_000_000)], maxTokens: 2)
    let record = try node.answer(parameters, nonce: .none)
    #expect(record.text == "\u{FFFD}\u{FFFD}")
    try expectVerified(record, .tokenLimit)
  }

  @Test func whiteSpaceAndOrderOfTheFileAreFree() throws {
    let file = try node.file(try node.answer(.busy))
    var loose = JSONObject()
    for member in file.json.object!.members.reversed() { loose[member.key] = member.value }
    let text = " " + JSON.object(loose).text().replacing("\"salt\":", with: "\"salt\" :\n\t") + "\n"
    #expect(Verifier(node.options()).verify(Array(text.utf8)).outcome == .verified)
    #expect(try EvidenceFile.parse(Array(text.utf8)) == file)
  }
}
