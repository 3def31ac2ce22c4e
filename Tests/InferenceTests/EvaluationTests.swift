import Digests
import Inference
import ModelGraph
import TestSupport
import Testing

/// The engine against the reference interpreter, every tensor.
@Suite struct EvaluationTests {
  struct Shape: Sendable, CustomTestStringConvertible {
    let config: ModelConfiguration
    var testDescription: String {
      "d \(config.hiddenSize), \(config.heads)/\(config.keyValueHeads) heads of \(config.headDimension)"
    }
  }

  static let shapes: [Shape] = [
    SyntheticModel.configuration(
      hidden: 48, layers: 2, heads: 4, keyValueHeads: 2, headDimension: 16, intermediate: 80, vocabulary: 100,
      context: 200, tied: true),
    SyntheticModel.configuration(
      hidden: 33, layers: 3, heads: 3, keyValueHeads: 1, headDimension: 6, intermediate: 57, vocabulary: 71,
      context: 150, tied: false),
    SyntheticModel.configuration(
      hidden: 1, layers: 1, heads: 1, keyValueHeads: 1, headDimension: 2, intermediate: 1, vocabulary: 2,
      context: 130, tied: false),
    SyntheticModel.configuration(
      hidden: 129, layers: 1, heads: 6, keyValueHeads: 6, headDimension: 22, intermediate: 300, vocabulary: 333,
      context: 140, tied: true),
    SyntheticModel.configuration(
      hidden: 64, layers: 2, heads: 5, keyValueHeads: 1, headDimension: 64, intermediate: 128, vocabulary: 257,
      context: 160, tied: true),
    SyntheticModel.configuration(
      hidden: 40, layers: 1, heads: 2, keyValueHeads: 1, headDimension: 256, intermediate: 64, vocabulary: 64,
      context: 130, tied: true),
  ].map(Shape.init(config:))

  @Test(arguments: shapes)
  func equalsReference(_ shape: Shape) throws {
    try compare(shape.config, hostile: false, [(1, 256), (2, 7), (3, 64), (2, 1)])
  }

  /// Weights at their bounds: clamps, saturated scores, vanishing norms.
  @Test(arguments: shapes)
  func equalsReferenceAtTheBounds(_ shape: Shape) throws {
    try compare(shape.config, hostile: true, [(2, 33)])
  }

  /// Long enough for members to share the pages of a row, whose key-value heads they cannot share evenly.
  @Test func sharedPagesEqualReference() throws {
    let config = SyntheticModel.configuration(
      hidden: 36, layers: 2, heads: 6, keyValueHeads: 3, headDimension: 12, intermediate: 40, vocabulary: 60,
      context: 530, tied: true)
    let seed = Seed.value
    let image = try SyntheticModel(config: config).image(seed: seed)
    var random = SplitMix64(seed: seed ^ 2)
    let tokens = (0..<530).map { _ in Int32.random(in: 0..<60, using: &random) }
    let expected = try Evaluation.reference(image, tokens)
    for kernels in KernelChoice.available {
      for threads in [2, 4] {
        let engine = try Engine(image: image, options: .sharing(threads: threads, kernels: .named(kernels)))
        let found = try Evaluation.alone(engine, tokens, step: 1)
        #expect(found == expected, "seed \(seed), \(kernels), \(threads) threads")
      }
    }
  }

  private func compare(_ config: ModelConfiguration, hostile: Bool, _ settings: [(Int, Int)]) throws {
    let seed = Seed.value
    let image = try SyntheticModel(config: config, hostile: hostile).image(seed: seed)
    var random = SplitMix64(seed: seed ^ 1)
    let prompts = [1, 2, 65, config.contextLength].map { count in
      (0..<count).map { _ in Int32.random(in: 0..<Int32(config.vocabularySize), using: &random) }
    }
    let expected = try prompts.map { try Evaluation.reference(image, $0) }
    for kernels in KernelChoice.available {
      for (threads, chunk) in settings {
        let engine = try Engine(
          image: image, options: EngineOptions.sharing(threads: threads, kernels: .named(kernels), prefillChunk: chunk))
        for (prompt, wanted) in zip(prompts, expected) {
          let found = try Evaluation.alone(engine, prompt, step: chunk == 64 ? 5 : prompt.count)
          #expect(found == wanted, "seed \(seed), \(kernels), \(threads) threads, chunk \(chunk), \(prompt.count)")
        }
        let together = try Evaluation.together(engine, prompts)
        #expect(together == expected, "seed \(seed), \(kernels), \(threads) threads, chunk \(chunk), together")
      }
    }
  }
}

/// The seed of a run: printed with a failure, taken from `EVIDENT_TEST_SEED` when set.
enum Seed {
  static let value: UInt64 = {
    if let text = environment("EVIDENT_TEST_SEED"), let seed = UInt64(text) { return seed }
    return UInt64.random(in: 0...(.max))
  }()
}
