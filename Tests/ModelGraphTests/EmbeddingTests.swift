import ModelGraph
import Testing

@Suite struct EmbeddingTests {
  @Test(arguments: Pooling.allCases, [false, true])
  func equalsTheFormula(pooling: Pooling, normalised: Bool) throws {
    var random = SeededRandom.forTest()
    var config = RandomModel.configuration(of: "bert", &random)
    (config.pooling, config.normalised) = (pooling, normalised)
    for limit in [1, 1000, 1 << 24, 1 << 30, Residual.limit] {
      for n in [1, 2, 3, 100] {
        let x = (0..<n).map { _ in Residual((0..<64).map { _ in random.spread(limit) }) }
        for dimensions in [nil, 1, 7, 64] {
          let found = try Embedding(residuals: x, config: config, dimensions: dimensions)
          let wanted = Literal.embedding(x, pooling, normalised: normalised, dimensions ?? 64, 20)
          #expect(found.values == wanted.v && found.exponent == wanted.exponent)
          #expect(found.values.allSatisfy { abs($0) <= 1 << 24 })
        }
      }
    }
    // The largest sum: 2^13 positions of the largest residual.
    let full = Array(repeating: Residual(Array(repeating: Residual.limit, count: 64)), count: 1 << 13)
    let wanted = Literal.embedding(full, pooling, normalised: normalised, 64, 20)
    let found = try Embedding(residuals: full, config: config)
    #expect(found.values == wanted.v && found.exponent == wanted.exponent)
    let zeros = try Embedding(residuals: [Residual(Array(repeating: 0, count: 64))], config: config)
    #expect(zeros.values == Array(repeating: 0, count: 64))
  }

  @Test func normalisedVectorsHaveLengthOne() throws {
    var random = SeededRandom.forTest()
    let config = RandomModel.configuration(of: "bert", &random)
    for limit in [1 << 10, 1 << 20, Residual.limit] {
      let x = [Residual((0..<64).map { _ in random.spread(limit) + 1 })].map { r in
        Residual(r.x.map { min($0, Residual.limit) })
      }
      let e = try Embedding(residuals: x, config: config)
      let square = e.values.reduce(Int128(0)) { $0 + Int128($1) * Int128($1) }
      // 2^48 but for the rounding of r, which has 16 bits.
      #expect(abs(square - (1 << 48)) < 1 << 34)
    }
  }

  @Test func refusesWhatItCannotMake() throws {
    var random = SeededRandom.forTest()
    let encoder = RandomModel.configuration(of: "bert", &random)
    let x = [Residual(Array(repeating: 1, count: 64))]
    for bad in [0, -1, 65, Int.max, Int.min] {
      #expect(throws: EvaluationRejection.dimensionsOutOfRange(bad, max: 64)) {
        try Embedding(residuals: x, config: encoder, dimensions: bad)
      }
    }
    #expect(throws: EvaluationRejection.noTokens) { try Embedding(residuals: [], config: encoder) }
    #expect(throws: EvaluationRejection.generatesOnly) {
      try Embedding(residuals: x, config: RandomModel.configuration(of: "llama", &random))
    }
    let bert = ReferenceInterpreter(image: try RandomModel(architecture: "bert", config: encoder).image(&random))
    var state = bert.makeState()
    #expect(throws: EvaluationRejection.encodesOnly) { try bert.evaluate([1], state: &state) }
    #expect(throws: EvaluationRejection.noTokens) { try bert.encode([]) }
    #expect(throws: EvaluationRejection.tokenOutsideVocabulary(41, index: 1, vocabularySize: 41)) {
      try bert.encode([0, 41])
    }
    #expect(throws: EvaluationRejection.contextExceeded(positions: 81, contextLength: 80)) {
      try bert.encode(Array(repeating: 0, count: 81))
    }
    let llama = ReferenceInterpreter(image: try RandomModel(config: RandomModel.configuration()).image(&random))
    #expect(throws: EvaluationRejection.generatesOnly) { try llama.encode([1]) }
  }

  /// In an encoder an earlier position sees a later one.
  @Test func everyPositionSeesEveryOther() throws {
    var random = SeededRandom.forTest()
    let config = RandomModel.configuration(of: "bert", &random)
    let bert = ReferenceInterpreter(image: try RandomModel(architecture: "bert", config: config).image(&random))
    let a = try bert.encode([1, 2, 3])
    let b = try bert.encode([1, 2, 4])
    #expect(a[0] != b[0])
    #expect(try bert.encode([1, 2, 3]) == a)
  }
}
