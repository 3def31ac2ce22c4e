import Digests
import Inference
import ModelFiles
import ModelGraph

/// Tokens per second of prefill, decode and replay: medians over rounds.
///
///     swift run -c release --package-path Benchmarks evident-bench smollm2-135m --threads 2
@main struct Bench {
  static let shapes: [String: ModelConfiguration] = [
    "smollm2-135m": SyntheticModel.configuration(
      hidden: 576, layers: 30, heads: 9, keyValueHeads: 3, headDimension: 64, intermediate: 1536, vocabulary: 49152,
      context: 8192, tied: true),
    "qwen2.5-0.5b": SyntheticModel.configuration(
      hidden: 896, layers: 24, heads: 14, keyValueHeads: 2, headDimension: 64, intermediate: 4864,
      vocabulary: 151936, context: 8192, tied: true),
    "llama-3.2-1b": SyntheticModel.configuration(
      hidden: 2048, layers: 16, heads: 32, keyValueHeads: 8, headDimension: 64, intermediate: 8192,
      vocabulary: 128256, context: 8192, tied: true),
  ]

  static func main() throws {
    let arguments = try BenchArguments(CommandLine.arguments.dropFirst())
    let clock = ContinuousClock()
    let image = try image(arguments.model)
    var options = EngineOptions(kernels: KernelChoice(arguments.kernels))
    if let threads = arguments.threads { options.threads = threads }
    if let chunk = arguments.chunk { options.prefillChunk = chunk }
    let start = clock.now
    let engine = try Engine(image: image, options: options)
    let bytes = engine.weightBytes
    print("\(arguments.model): \(engine.kernels) kernels, \(options.threads) threads, chunk \(options.prefillChunk)")
    print("  packing       \(milliseconds(clock.now - start)) ms, \(bytes >> 20) MiB")
    var random = SplitMix64(seed: 1)
    let vocabulary = Int32(image.manifest.config.vocabularySize)
    func tokens(_ count: Int) -> [Int32] { (0..<count).map { _ in Int32.random(in: 0..<vocabulary, using: &random) } }
    for count in arguments.prefill {
      let prompt = tokens(count)
      try report("prefill \(count)", count, arguments.rounds) {
        let sequence = engine.makeSequence()
        _ = try engine.evaluate([Slice(sequence: sequence, tokens: prompt)])
      }
    }
    for context in arguments.decode {
      let sequence = engine.makeSequence()
      _ = try engine.evaluate([Slice(sequence: sequence, tokens: tokens(context), logits: .none)])
      let steps = tokens(arguments.steps)
      let seconds = try report("decode @\(context)", steps.count, arguments.rounds) {
        sequence.truncate(to: context)
        for token in steps { try engine.evaluate([Slice(sequence: sequence, tokens: [token])]) { _, _, _ in } }
      }
      print("                  \(Int(Double(bytes) * Double(steps.count) / seconds / 1e6)) MB/s of weights")
    }
    for streams in arguments.batch {
      let sequences = (0..<streams).map { _ in engine.makeSequence() }
      let prompt = tokens(128)
      _ = try engine.evaluate(sequences.map { Slice(sequence: $0, tokens: prompt, logits: .none) })
      try report("batch of \(streams)", streams * arguments.steps, arguments.rounds) {
        for sequence in sequences { sequence.truncate(to: 128) }
        for _ in 0..<arguments.steps {
          try engine.evaluate(sequences.map { Slice(sequence: $0, tokens: [1]) }) { _, _, _ in }
        }
      }
    }
    if arguments.replay > 0 { try replay(engine, tokens(64), arguments) }
  }

  /// Producing an answer token by token, then recomputing all its logits, sampler included in both.
  private static func replay(_ engine: Engine, _ prompt: [Int32], _ arguments: BenchArguments) throws {
    let parameters = try SamplingParameters(maxTokens: arguments.replay)
    var answer: [Int32] = []
    let produced = try report("produce \(arguments.replay)", arguments.replay, 1) {
      answer = try Generator(engine: engine)
        .generate(prompt: prompt, parameters: parameters, streamKey: nil, endTokens: []).tokens
    }
    let sampler = Sampler(parameters: parameters, streamKey: nil)
    var equal = true
    let replayed = try report("replay \(arguments.replay)", arguments.replay, arguments.rounds) {
      var state = SamplerState(prompt: prompt)
      try EngineRecomputation(engine: engine).logits(for: prompt + answer.dropLast(), from: prompt.count - 1) {
        equal = equal && sampler.next(logits: $1, state: state) == answer[$0 - prompt.count + 1]
        state.append(answer[$0 - prompt.count + 1])
        return true
      }
    }
    print("  replay / produce \(hundredths(replayed / produced)), \(equal ? "equal" : "NOT EQUAL")")
  }

  private static func image(_ model: String) throws -> ModelImage {
    if let shape = shapes[model] { return try SyntheticModel.image(shape, seed: 1) }
    return model == EmbeddedModel.name ? try EmbeddedModel.load().image : try Pack.load(path: model).image
  }

  /// - Returns: the median time in seconds.
  @discardableResult
  private static func report(_ name: String, _ tokens: Int, _ rounds: Int, _ body: () throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    var times: [Double] = []
    for _ in 0..<max(1, rounds) {
      let duration = try clock.measure(body)
      times.append(Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18)
    }
    times.sort()
    let median = times[times.count / 2]
    let rate = { (seconds: Double) in Int(Double(tokens) / seconds) }
    let label = name + String(repeating: " ", count: max(0, 14 - name.count))
    print("  \(label)\(rate(median)) tokens/s (\(rate(times[times.count - 1]))–\(rate(times[0])))")
    return median
  }

  private static func milliseconds(_ duration: Duration) -> Int64 {
    duration.components.seconds * 1000 + duration.components.attoseconds / 1_000_000_000_000_000
  }

  private static func hundredths(_ x: Double) -> String { "\(Double(Int(x * 100)) / 100)" }
}
