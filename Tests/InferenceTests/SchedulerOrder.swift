import Digests
import Inference
import ModelGraph
import TestSupport

/// What a test asks of a scheduler.
struct Order: Sendable {
  let prompt: [Int32]
  let parameters: SamplingParameters
  let streamKey: StreamKey
  let endTokens: [Int32]

  init(prompt: [Int32], parameters: SamplingParameters, endTokens: [Int32] = []) {
    self.prompt = prompt
    self.parameters = parameters
    self.endTokens = endTokens
    streamKey = StreamKey(
      model: Digest(of: [1]), inputTokens: prompt, parameters: parameters, nonce: [UInt8](repeating: 3, count: 16))
  }

  /// Greedy or drawn, with a limit of `maxTokens` or of a few tens.
  init(prompt: [Int32], vocabulary: Int32, maxTokens: Int? = nil, _ random: inout SplitMix64) throws {
    let (few, many) = (Int.random(in: 1...3, using: &random), Int.random(in: 4...60, using: &random))
    let parameters = try SamplingParameters(
      temperatureMicros: [0, 700_000, 2_000_000].randomElement(using: &random) ?? 0,
      topK: [0, 20].randomElement(using: &random) ?? 0,
      topPMicros: [1_000_000, 900_000].randomElement(using: &random) ?? 1,
      repetitionPenaltyMicros: [1_000_000, 1_200_000].randomElement(using: &random) ?? 1_000_000,
      seed: random.next(),
      maxTokens: maxTokens ?? (random.flip() ? few : many))
    self.init(
      prompt: prompt, parameters: parameters,
      endTokens: (0..<4).map { _ in Int32.random(in: 0..<vocabulary, using: &random) })
  }

  /// The same without an end of sequence, so that only the limit ends it.
  var endless: Order { Order(prompt: prompt, parameters: parameters) }

  func submit(to scheduler: Scheduler) throws(GenerationRejection) -> Generation {
    try scheduler.submit(prompt: prompt, parameters: parameters, streamKey: streamKey, endTokens: endTokens)
  }

  /// One token at a time, on an engine that does nothing else.
  func alone(on engine: Engine) throws -> Outcome {
    let result = try Generator(engine: engine).generate(
      prompt: prompt, parameters: parameters, streamKey: streamKey, endTokens: endTokens)
    return Outcome(tokens: result.tokens, reason: result.reason)
  }
}

struct Outcome: Equatable, Sendable {
  var tokens: [Int32] = []
  var reason: FinishReason?

  /// - Parameter tokensMax: cancels after so many.
  static func collect(_ generation: Generation, cancelAfter tokensMax: Int = .max) async throws -> Outcome {
    var outcome = Outcome()
    for try await event in generation.events {
      switch event {
      case .token(let id):
        outcome.tokens.append(id)
        if outcome.tokens.count == tokensMax { generation.cancel() }
      case .finished(let reason): outcome.reason = reason
      }
    }
    return outcome
  }

  /// Whether it is a whole answer, or what a cancelled request got of it.
  func isPart(of whole: Outcome) -> Bool {
    self == whole || reason == .cancelled && whole.tokens.starts(with: tokens)
  }
}

/// Orders that reach a scheduler at random times.
struct Round {
  let orders: [Order]
  /// Requests are cancelled after so many tokens.
  let cancelAfter: [Int]
  private let pauses: [UInt64]

  /// - Parameter cancelling: about a third of the orders, in their midst.
  init(_ orders: [Order], cancelling: Bool, _ random: inout SplitMix64) {
    self.orders = orders
    cancelAfter = orders.map { _ in
      cancelling && random.next() % 3 == 0 ? Int.random(in: 1...20, using: &random) : .max
    }
    pauses = orders.indices.map { UInt64.random(in: 0...2_000_000, using: &random) * UInt64($0 % 7) }
  }

  /// In the order of `orders`.
  func outcomes(of scheduler: Scheduler) async throws -> [Outcome] {
    try await withThrowingTaskGroup(of: (Int, Outcome).self) { group in
      for (index, order) in orders.enumerated() {
        group.addTask {
          try await Task.sleep(nanoseconds: pauses[index])
          return (
            index, try await Outcome.collect(try order.submit(to: scheduler), cancelAfter: cancelAfter[index])
          )
        }
      }
      var outcomes = [Outcome](repeating: Outcome(), count: orders.count)
      for try await (index, outcome) in group { outcomes[index] = outcome }
      return outcomes
    }
  }
}

/// Prompts that begin alike, up to the edges of pages and beyond.
struct Stems {
  let stems: [[Int32]]
  private let vocabulary: Int32
  private let length: Int

  /// - Parameter length: of the longest prompt.
  init(vocabulary: Int, length: Int, _ random: inout SplitMix64) {
    self.length = length
    self.vocabulary = Int32(vocabulary)
    let vocabulary = self.vocabulary
    stems = (0..<3).map { _ in (0..<length).map { _ in Int32.random(in: 0..<vocabulary, using: &random) } }
  }

  func prompt(_ random: inout SplitMix64) -> [Int32] {
    let edges = [0, 1, 63, 64, 65, 127, 128, 129, 192, 193, 256, length].filter { $0 <= length }
    let shared = stems[Int(random.next() % 3)].prefix(edges.randomElement(using: &random) ?? 0)
    let rest = Int.random(in: 0...min(80, length - shared.count), using: &random)
    // Repeated bits of the prompt, for drafts to find.
    let period = Int.random(in: 1...40, using: &random)
    let unit = (0..<period).map { _ in Int32.random(in: 0..<vocabulary, using: &random) }
    let prompt = shared + (0..<rest).map { unit[$0 % period] }
    return prompt.isEmpty ? [0] : Array(prompt)
  }
}
