import ModelGraph
import Testing

@Suite struct EmbeddingTests {
  @Test(arguments: Pooling.allCases, [false, true])
  func equalsTheFormula(pooling: Pooling, normalised: Bool) throws {
    var random = SeededRandom.forTest()
    func check(_ x: [Residual], dimensions: Int) {
      let found = Embedding.vector(
        x, pooling: pooling, normalised: normalised, dimensions: dimensions, fractionBits: 20)
      let wanted = Literal.embedding(x, pooling, normalised: normalised, dimensions, 20)
      #expect(found == EmbeddingVector(values: wanted.v, exponent: wanted.exponent))
      #expect(found.values.allSatisfy { abs($0) <= 1 << 24 })
    }
    for limit in [0, 1, 1000, 1 << 24, 1 << 30, Residual.limit] {
      for n in [1, 2, 3, 100] {
        let x = (0..<n).map { _ in Residual((0..<64).map { _ in random.spread(limit) }) }
        for dimensions in [1, 7, 64] { check(x, dimensions: dimensions) }
      }
    }
    // The largest sum: 2^13 positions of the largest residual.
    check(Array(repeating: Residual(Array(repeating: Residual.limit, count: 64)), count: 1 << 13), dimensions: 64)
    check(Array(repeating: Residual(Array(repeating: -Residual.limit, count: 64)), count: 1 << 13), dimensions: 64)
  }

  @Test func normalisedVectorsHaveLengthOne() {
    var random = SeededRandom.forTest()
    for limit in [1 << 10, 1 << 20, Residual.limit] {
      let x = [Residual((0..<64).map { _ in random.spread(limit) + 1 })].map { r in
        Residual(r.x.map { min($0, Residual.limit) })
      }
      let e = Embedding.vector(x, pooling: .cls, normalised: true, dimensions: 64, fractionBits: 20)
      let square = e.values.reduce(Int128(0)) { $0 + Int128($1) * Int128($1) }
      // 2^48 but for the rounding of r, which has 16 bits.
      #expect(abs(square - (1 << 48)) < 1 << 34)
    }
  }

  @Test func refusesWhatItCannotMake() throws {
    var random = SeededRandom.forTest()
    let encoder = RandomModel.configuration(of: "bert", &random)
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
