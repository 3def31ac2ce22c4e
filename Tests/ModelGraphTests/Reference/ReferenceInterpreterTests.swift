import Digests
import ModelGraph
import Testing

@Suite struct ReferenceInterpreterTests {
  /// Shapes that a decoder of this family can have, small enough for 128-bit arithmetic.
  static let shapes: [ModelConfiguration] = [
    RandomModel.configuration(),
    RandomModel.configuration(hidden: 1, layers: 1, heads: 1, headDimension: 2, intermediate: 1, vocabulary: 1),
    RandomModel.configuration(hidden: 33, heads: 4, keyValueHeads: 4, headDimension: 2, tied: true),
    RandomModel.configuration(hidden: 16, heads: 6, keyValueHeads: 2, headDimension: 34, intermediate: 7),
    RandomModel.configuration(hidden: 24, layers: 3, heads: 4, keyValueHeads: 1, headDimension: 64, tied: true),
    RandomModel.configuration(hidden: 10, layers: 1, heads: 2, keyValueHeads: 2, headDimension: 128),
    RandomModel.configuration(hidden: 9, layers: 1, heads: 2, keyValueHeads: 1, headDimension: 256, intermediate: 600),
    RandomModel.configuration(hidden: 12, fractionBits: 8, epsilon: 1),
    RandomModel.configuration(hidden: 12, fractionBits: 30, epsilon: (1 << 53) - 1, tied: true),
  ]

  static func records(_ image: ModelImage, _ tokens: [Int32], chunk: Int) throws -> [TraceRecord] {
    let interpreter = ReferenceInterpreter(image: image)
    var state = interpreter.makeState()
    var records: [TraceRecord] = []
    if image.manifest.config.isEncoder {
      _ = try interpreter.encode(tokens) { records.append($0) }
      return records
    }
    for start in stride(from: 0, to: tokens.count, by: chunk) {
      _ = try interpreter.evaluate(
        Array(tokens[start..<min(start + chunk, tokens.count)]), state: &state, logits: .all
      ) { records.append($0) }
    }
    return records
  }

  static func digests(_ records: [TraceRecord]) -> [String: Digest<Value>] {
    var digests = TraceDigests()
    for record in records { digests.record(record) }
    return digests.digests
  }

  static func tokens(_ count: Int, _ image: ModelImage, _ random: inout SeededRandom) -> [Int32] {
    (0..<count).map { _ in Int32.random(in: 0..<Int32(image.manifest.config.vocabularySize), using: &random) }
  }

  @Test(arguments: shapes, [false, true])
  func equalsTheLiteralTranscription(shape: ModelConfiguration, wild: Bool) throws {
    var random = SeededRandom.forTest()
    let image = try RandomModel(config: shape, content: wild ? .wild : .ordinary).image(&random)
    try ReferenceInterpreterTests.compareWithLiteral(image, ReferenceInterpreterTests.tokens(5, image, &random))
  }

  static func compareWithLiteral(_ image: ModelImage, _ tokens: [Int32]) throws {
    let literal = LiteralInterpreter.run(image, tokens)
    var found: [String: Value] = [:]
    for r in try records(image, tokens, chunk: 5) { found["\(r.name) \(r.position)"] = r.value }
    #expect(found.count == literal.count)
    // The first difference says most; everything after it differs too.
    for r in literal {
      try #require(found["\(r.name) \(r.position)"] == r.value, "\(r.name) at position \(r.position)")
    }
  }

  /// Every architecture in every weight format, with its windows, biases, experts and caps.
  @Test(arguments: Architectures.all.keys.sorted(), [false, true])
  func everyArchitectureEqualsTheLiteralTranscription(architecture: String, wild: Bool) throws {
    var random = SeededRandom.forTest()
    for formats: [TensorEntry.Kind] in [
      [.linear8], [.linear4], [.linear4m], [.linear16], [.linear8, .linear4, .linear4m, .linear16],
    ] {
      let config = RandomModel.configuration(of: architecture, &random)
      let model = RandomModel(
        architecture: architecture, config: config, content: wild ? .wild : .ordinary, formats: formats)
      let image = try model.image(&random)
      try ReferenceInterpreterTests.compareWithLiteral(image, ReferenceInterpreterTests.tokens(7, image, &random))
    }
  }

  @Test(arguments: Architectures.all.keys.sorted())
  func chunkingChangesNothingInAnyArchitecture(architecture: String) throws {
    var random = SeededRandom.forTest()
    let config = RandomModel.configuration(of: architecture, &random)
    if config.isEncoder { return }
    let image = try RandomModel(architecture: architecture, config: config, formats: [.linear8, .linear4m])
      .image(&random)
    // Longer than the interpreter's own blocks, and than every window.
    let tokens = ReferenceInterpreterTests.tokens(41, image, &random)
    let whole = ReferenceInterpreterTests.digests(try ReferenceInterpreterTests.records(image, tokens, chunk: 41))
    #expect(whole.count == image.graph.nodes.count)
    for chunk in [1, 7, 32] {
      #expect(
        ReferenceInterpreterTests.digests(try ReferenceInterpreterTests.records(image, tokens, chunk: chunk)) == whole)
    }
    // Logits where they are wanted only, the cap included.
    let interpreter = ReferenceInterpreter(image: image)
    var (a, b) = (interpreter.makeState(), interpreter.makeState())
    let all = try interpreter.evaluate(tokens, state: &a, logits: .all)
    #expect(try interpreter.evaluate(tokens, state: &b, logits: .last) == [all[40]])
    #expect(a == b && Set(all.map(\.values)).count > 30)
  }

  @Test(arguments: shapes) func chunkingChangesNothing(shape: ModelConfiguration) throws {
    var random = SeededRandom.forTest()
    let image = try RandomModel(config: shape).image(&random)
    // Longer than the interpreter's own blocks.
    let tokens = ReferenceInterpreterTests.tokens(41, image, &random)
    let whole = ReferenceInterpreterTests.digests(try ReferenceInterpreterTests.records(image, tokens, chunk: 41))
    #expect(whole.count == image.graph.nodes.count)
    for chunk in [1, 7, 32] {
      #expect(
        ReferenceInterpreterTests.digests(try ReferenceInterpreterTests.records(image, tokens, chunk: chunk)) == whole)
    }
  }

  @Test func anOrdinaryModelIsAlive() throws {
    var random = SeededRandom.forTest()
    let image = try RandomModel(config: RandomModel.configuration(hidden: 24, intermediate: 40)).image(&random)
    let interpreter = ReferenceInterpreter(image: image)
    var state = interpreter.makeState()
    let logits = try interpreter.evaluate([1, 2, 3, 4], state: &state, logits: .all)
    #expect(Set(logits.map(\.values)).count == 4)
    #expect(Set(logits[3].values).count > 10)
  }

  @Test func logitsOnlyWhereWanted() throws {
    var random = SeededRandom.forTest()
    let image = try RandomModel(config: RandomModel.configuration()).image(&random)
    let interpreter = ReferenceInterpreter(image: image)
    let tokens = ReferenceInterpreterTests.tokens(40, image, &random)
    var (a, b, c) = (interpreter.makeState(), interpreter.makeState(), interpreter.makeState())
    let all = try interpreter.evaluate(tokens, state: &a, logits: .all)
    let last = try interpreter.evaluate(tokens, state: &b, logits: .last)
    #expect(all.count == 40 && last == [all[39]])
    #expect(try interpreter.evaluate(tokens, state: &c, logits: .none).isEmpty)
    #expect(a == b && b == c && a.count == 40)
    #expect(try interpreter.evaluate([], state: &a).isEmpty)
    b.truncate(to: 17)
    #expect(try interpreter.evaluate(Array(tokens[17...]), state: &b, logits: .all) == Array(all[17...]))
  }

  @Test func refusesTokensAndPositions() throws {
    var random = SeededRandom.forTest()
    let image = try RandomModel(config: RandomModel.configuration(vocabulary: 5, context: 4)).image(&random)
    let interpreter = ReferenceInterpreter(image: image)
    var state = interpreter.makeState()
    _ = try interpreter.evaluate([0, 4], state: &state)
    let before = state
    for bad: Int32 in [5, -1, .max, .min] {
      #expect(throws: EvaluationRejection.tokenOutsideVocabulary(bad, index: 1, vocabularySize: 5)) {
        try interpreter.evaluate([0, bad], state: &state)
      }
    }
    #expect(throws: EvaluationRejection.contextExceeded(positions: 5, contextLength: 4)) {
      try interpreter.evaluate([0, 0, 0], state: &state)
    }
    #expect(state == before)
    _ = try interpreter.evaluate([1, 2], state: &state)
    #expect(state.count == 4)
  }

  @Test func digestsNeedAscendingPositionsAndDependOnEveryValue() throws {
    var a = TraceDigests()
    var b = TraceDigests()
    a.record(name: "x", position: 0, value: .act16(Act16([1, -2], exponent: -3)))
    b.record(name: "x", position: 0, value: .act16(Act16([1, -2], exponent: -4)))
    #expect(a.digests["x"] != b.digests["x"])
    #expect(Value.act16(Act16([1, -2], exponent: -3)).encoded == [0xFD, 0xFF, 0xFF, 0xFF, 1, 0, 0xFE, 0xFF])
    #expect(Value.residual(Residual([-2])).encoded == [0xFE] + [UInt8](repeating: 0xFF, count: 7))
    #expect(
      Value.heads32(Heads32([1, 2], exponents: [3, 4])).encoded
        == [3, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 2, 0, 0, 0])
    #expect(
      Value.routes(Routes(ids: [5, 258], shares: [1, -2])).encoded
        == [5, 0, 0, 0, 1, 0, 0, 0, 2, 1, 0, 0, 0xFE, 0xFF, 0xFF, 0xFF])
    #expect(a.digests["x"] == Digest(of: [0xFD, 0xFF, 0xFF, 0xFF, 1, 0, 0xFE, 0xFF]))
  }
}
