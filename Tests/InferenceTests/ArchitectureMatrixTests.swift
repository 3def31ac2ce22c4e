import Digests
import Inference
import ModelGraph
import TestSupport
import Testing

/// Every architecture in every weight format gives the same tensors on {reference, every kernel set} ×
/// {1, 2, 4 threads} × {chunk 1, 7, 64, all} × {alone, batched}, on random models.
///
/// Each model runs with every kernel set and with some of the settings; all settings run in each test.
@Suite struct ArchitectureMatrixTests {
  struct Case: Sendable, CustomTestStringConvertible {
    let architecture: String
    let bits: Int
    var formats: [TensorEntry.Kind] {
      switch bits {
      case 8: [.linear8]
      case 16: [.linear16]
      default: [.linear4, .linear4m]
      }
    }
    var testDescription: String { "\(architecture), \(bits) bits" }

    static let all = Architectures.all.keys.sorted().flatMap { name in
      [8, 4, 16].map { Case(architecture: name, bits: $0) }
    }
  }

  struct Setting: CustomStringConvertible {
    let threads: Int
    let chunk: Int
    var description: String { "\(threads) threads, chunk \(chunk)" }

    static let all = [1, 2, 4].flatMap { threads in
      [1, 7, 64, EngineOptions.prefillChunkMax].map { Setting(threads: threads, chunk: $0) }
    }
  }

  /// Models of each case; each takes the next settings.
  static let models = 4

  @Test(arguments: Case.all)
  func everyWayGivesTheSame(_ test: Case) throws {
    let salt = test.testDescription.utf8.reduce(UInt64(0)) { $0 &* 31 &+ UInt64($1) }
    var random = SplitMix64(seed: Seed.value ^ salt)
    let settings = Setting.all.shuffled(using: &random)
    for number in 0..<Self.models {
      var model = SyntheticModel.random(test.architecture, formats: test.formats, &random)
      model.hostile = number == Self.models - 1
      let image = try model.image(seed: random.next())
      let share = stride(from: number, to: settings.count, by: Self.models).map { settings[$0] }
      let name = "seed \(Seed.value), \(test.testDescription), model \(number)"
      if model.config.isEncoder {
        try compareEncoder(image, share, name, &random)
      } else {
        try compareDecoder(image, share, name, &random)
      }
    }
  }

  /// Prompts that begin alike, answered together by a scheduler that keeps pages and guesses ahead,
  /// a model for every kernel set.
  @Test(arguments: Case.all.filter { Architectures.all[$0.architecture]?.rules.isEncoder == false })
  func schedulesGiveTheSame(_ test: Case) async throws {
    let salt = test.testDescription.utf8.reduce(UInt64(1)) { $0 &* 31 &+ UInt64($1) }
    var random = SplitMix64(seed: Seed.value ^ salt)
    for (number, kernels) in KernelChoice.available.enumerated() {
      let model = SyntheticModel.random(test.architecture, formats: test.formats, &random)
      let vocabulary = model.config.vocabularySize
      let engine = try Engine(
        image: try model.image(seed: random.next()),
        options: .sharing(threads: 2, kernels: .named(kernels), prefillChunk: 40))
      let stems = Stems(vocabulary: vocabulary, length: 149, &random)
      let orders = try (0..<16).map { _ in
        try Order(prompt: stems.prompt(&random), vocabulary: Int32(vocabulary), &random)
      }
      // Alone there is room for its drafts, and pages to reuse the second time.
      let last = Order(prompt: Array(stems.stems[0][..<65]), parameters: try SamplingParameters(maxTokens: 30))
      let scheduler = try Scheduler(
        engine: engine, options: SchedulerOptions(activeMax: 4, prefillRowsPerStep: 60, draftRowsPerStep: 30),
        drafting: try KnownAnswers([last] + orders, on: engine, errors: .some))
      let outcomes = try await Round(orders, cancelling: false, &random).outcomes(of: scheduler)
      let name = "seed \(Seed.value), \(test.testDescription), model \(number), \(kernels)"
      #expect(try outcomes == orders.map { try $0.alone(on: engine) }, "\(name)")
      for _ in 0..<2 {
        #expect(try await Outcome.collect(try last.submit(to: scheduler)) == last.alone(on: engine), "\(name)")
      }
      await scheduler.drain()
      let metrics = scheduler.metrics
      #expect(metrics.prefixTokensReused >= 64 && metrics.tokensAccepted > 0 && engine.cacheBytesInUse == 0, "\(name)")
    }
  }

  private func prompts(_ image: ModelImage, _ random: inout SplitMix64) -> [[Int32]] {
    let vocabulary = Int32(image.manifest.config.vocabularySize)
    return [1, Int.random(in: 2...20, using: &random), Int.random(in: 60...90, using: &random)].map { count in
      (0..<count).map { _ in Int32.random(in: 0..<vocabulary, using: &random) }
    }
  }

  private func compareDecoder(
    _ image: ModelImage, _ settings: [Setting], _ name: String, _ random: inout SplitMix64
  ) throws {
    let prompts = prompts(image, &random)
    let expected = try prompts.map { try Evaluation.reference(image, $0) }
    for kernels in KernelChoice.available {
      for setting in settings {
        let engine = try Engine(
          image: image,
          options: .sharing(threads: setting.threads, kernels: .named(kernels), prefillChunk: setting.chunk))
        let index = Int.random(in: 0..<prompts.count, using: &random)
        let step = Int.random(in: 1...prompts[index].count, using: &random)
        let alone = try Evaluation.alone(engine, prompts[index], step: step)
        report(alone, expected[index], "\(name), \(kernels), \(setting), in steps of \(step)")
        for (found, wanted) in zip(try Evaluation.together(engine, prompts), expected) {
          report(found, wanted, "\(name), \(kernels), \(setting), batched")
        }
      }
    }
  }

  private func compareEncoder(
    _ image: ModelImage, _ settings: [Setting], _ name: String, _ random: inout SplitMix64
  ) throws {
    let sequences = prompts(image, &random)
    let expected = try sequences.map { try Evaluation.referenceEncoding(image, $0) }
    for kernels in KernelChoice.available {
      for setting in settings {
        let engine = try Engine(
          image: image,
          options: .sharing(threads: setting.threads, kernels: .named(kernels), prefillChunk: setting.chunk))
        for (found, wanted) in zip(try Evaluation.encodings(engine, sequences), expected) {
          report(found, wanted, "\(name), \(kernels), \(setting), batched")
        }
        #expect(engine.cacheBytesInUse == 0)
      }
    }
  }

  private func report(_ found: Evaluation, _ wanted: Evaluation, _ where: String) {
    if found == wanted { return }
    let names = wanted.digests.keys.filter { found.digests[$0] != wanted.digests[$0] }.sorted()
    Issue.record("\(`where`): \(names.isEmpty ? "results" : names.joined(separator: " "))")
  }
}
