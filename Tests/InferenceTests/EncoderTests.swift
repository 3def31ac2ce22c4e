import Inference
import ModelGraph
import TestSupport
import Testing

/// What an engine does with encoders besides computing, which the matrix compares.
@Suite struct EncoderTests {
  private static func model(pooling: Pooling, normalised: Bool) -> SyntheticModel {
    var config = SyntheticModel.configuration(
      hidden: 64, layers: 2, heads: 4, keyValueHeads: 4, headDimension: 16, intermediate: 96, vocabulary: 90,
      context: 70, tied: false)
    (config.pooling, config.normalised, config.activation) = (pooling, normalised, .gelu)
    config.biases = Set(Projection.allCases).subtracting([.gate])
    return SyntheticModel(architecture: "bert", config: config)
  }

  @Test(arguments: Pooling.allCases, [false, true])
  func embeddingsAreTheReferences(_ pooling: Pooling, normalised: Bool) throws {
    let model = Self.model(pooling: pooling, normalised: normalised)
    let image = try model.image(seed: 3)
    let engine = try Engine(image: image, options: .sharing(threads: 2, prefillChunk: 40))
    var random = SplitMix64(seed: 4)
    let sequences = [1, 70, 13, 13, 41].map { count in
      (0..<count).map { _ in Int32.random(in: 0..<90, using: &random) }
    }
    for dimensions in [1, 40, 64] {
      let expected = try sequences.map { tokens in
        Embedding.vector(
          try ReferenceInterpreter(image: image).encode(tokens), pooling: pooling, normalised: normalised,
          dimensions: dimensions, fractionBits: 20)
      }
      #expect(try engine.embeddings(of: sequences, dimensions: dimensions) == expected)
      #expect(try engine.embeddings(of: [sequences[2]], dimensions: dimensions) == [expected[2]])
    }
    #expect(try engine.embeddings(of: []).isEmpty)
    #expect(engine.cacheBytesInUse == 0)
  }

  @Test func eachKindOfModelRefusesTheOther() throws {
    let encoder = try Engine(
      image: Self.model(pooling: .mean, normalised: true).image(seed: 3), options: .sharing(threads: 1))
    let decoder = try Engine(image: EngineTests.image, options: .sharing(threads: 1))
    #expect(throws: EvaluationRejection.encodesOnly) {
      try encoder.evaluate([Slice(sequence: encoder.makeSequence(), tokens: [1])])
    }
    #expect(throws: EvaluationRejection.generatesOnly) { try decoder.embeddings(of: [[1]]) }
    #expect(throws: EvaluationRejection.noTokens) { try encoder.embeddings(of: [[1], []]) }
    #expect(throws: EvaluationRejection.tokenOutsideVocabulary(90, index: 1, vocabularySize: 90)) {
      try encoder.embeddings(of: [[1, 90]])
    }
    #expect(throws: EvaluationRejection.contextExceeded(positions: 71, contextLength: 70)) {
      try encoder.embeddings(of: [[Int32](repeating: 1, count: 71)])
    }
  }
}
