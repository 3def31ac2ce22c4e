import Digests
import Inference
import ModelGraph
import Testing

/// The scheduler gives every request what it would get alone, whatever the company.
@Suite struct SchedulerTests {
  static let image: ModelImage = {
    let config = SyntheticModel.configuration(
      hidden: 64, layers: 2, heads: 4, keyValueHeads: 2, headDimension: 16, intermediate: 96, vocabulary: 211,
      context: 160, tied: true)
    guard let image = try? SyntheticModel(config: config).image(seed: 7) else { preconditionFailure("a valid model") }
    return image
  }()

  struct Order: Sendable {
    let prompt: [Int32]
    let parameters: SamplingParameters
    let streamKey: StreamKey
    let endTokens: [Int32]

    init(_ random: inout SplitMix64, maxTokens: Int? = nil) throws {
      let count = Int.random(in: 1...(maxTokens == nil ? 150 : 20), using: &random)
      prompt = (0..<count).map { _ in Int32.random(in: 0..<211, using: &random) }
      parameters = try SamplingParameters(
        temperatureMicros: [0, 700_000, 2_000_000].randomElement(using: &random) ?? 0,
        topK: [0, 20].randomElement(using: &random) ?? 0,
        topPMicros: [1_000_000, 900_000].randomElement(using: &random) ?? 1,
        repetitionPenaltyMicros: [1_000_000, 1_200_000].randomElement(using: &random) ?? 1_000_000,
        seed: random.next(), maxTokens: maxTokens ?? Int.random(in: 1...60, using: &random))
      streamKey = StreamKey(
        model: Digest(of: [1]), inputTokens: prompt, parameters: parameters, nonce: [UInt8](repeating: 3, count: 16))
      endTokens = (0..<4).map { _ in Int32.random(in: 0..<211, using: &random) }
    }

    func submit(to scheduler: Scheduler) throws(GenerationRejection) -> Generation {
      try scheduler.submit(prompt: prompt, parameters: parameters, streamKey: streamKey, endTokens: endTokens)
    }
  }

  struct Outcome: Equatable, Sendable {
    var tokens: [Int32] = []
    var reason: FinishReason?

    static func collect(_ generation: Generation) async throws -> Outcome {
      var outcome = Outcome()
      for try await event in generation.events {
        switch event {
        case .token(let id): outcome.tokens.append(id)
        case .finished(let reason): outcome.reason = reason
        }
      }
      return outcome
    }
  }

  @Test func equalsAloneUnderRandomSchedules() async throws {
    let seed = Seed.value
    var random = SplitMix64(seed: seed)
    let engine = try Engine(image: Self.image, options: EngineOptions.sharing(threads: 2, prefillChunk: 32))
    let orders = try (0..<60).map { _ in try Order(&random) }
    let alone = try orders.map { order in
      let result = try Generator(engine: engine).generate(
        prompt: order.prompt, parameters: order.parameters, streamKey: order.streamKey, endTokens: order.endTokens)
      return Outcome(tokens: result.tokens, reason: result.reason)
    }
    #expect(Set(alone.map(\.reason)) == [.stop, .length], "seed \(seed)")
    for options in [
      SchedulerOptions(activeMax: 1, queueMax: 100),
      SchedulerOptions(activeMax: 3, queueMax: 100, prefillRowsPerStep: 1),
      SchedulerOptions(activeMax: 7, queueMax: 100, prefillRowsPerStep: 10),
      SchedulerOptions(activeMax: 16, queueMax: 100, cacheBytesMax: engine.cacheBytes(positions: 160) * 3),
    ] {
      let scheduler = try Scheduler(engine: engine, options: options)
      let pauses = orders.map { _ in UInt64.random(in: 0...2_000_000, using: &random) }
      let outcomes = try await withThrowingTaskGroup(of: (Int, Outcome).self) { group in
        for (index, order) in orders.enumerated() {
          group.addTask {
            try await Task.sleep(nanoseconds: pauses[index] * UInt64(index % 7))
            return (index, try await Outcome.collect(try order.submit(to: scheduler)))
          }
        }
        var outcomes = [Outcome](repeating: Outcome(), count: orders.count)
        for try await (index, outcome) in group { outcomes[index] = outcome }
        return outcomes
      }
      for index in orders.indices {
        #expect(outcomes[index] == alone[index], "seed \(seed), request \(index), \(options)")
      }
      await scheduler.drain()
      let metrics = scheduler.metrics
      #expect(metrics.active == 0 && metrics.queued == 0 && metrics.submitted == orders.count)
      #expect(metrics.tokensIn == orders.reduce(0) { $0 + $1.prompt.count })
      #expect(metrics.tokensOut == alone.reduce(0) { $0 + $1.tokens.count })
      #expect(metrics.finished.values.reduce(0, +) == orders.count)
    }
    #expect(engine.cacheBytesInUse == 0, "pages are given back")
  }

  @Test func cancellationEndsRequests() async throws {
    var random = SplitMix64(seed: 11)
    let engine = try Engine(image: Self.image, options: EngineOptions.sharing(threads: 1))
    let scheduler = try Scheduler(engine: engine, options: SchedulerOptions(activeMax: 2))
    let orders = try (0..<4).map { _ in try Order(&random, maxTokens: 130) }.map { $0.endless }
    // By the consumer's word, in the middle.
    let first = try orders[0].submit(to: scheduler)
    var seen = 0
    var reason: FinishReason?
    for try await event in first.events {
      switch event {
      case .token:
        seen += 1
        if seen == 5 { first.cancel() }
      case .finished(let why): reason = why
      }
    }
    #expect(reason == .cancelled || seen == 130)
    // By dropping the handle, and by cancelling the task that reads.
    do { _ = try orders[1].submit(to: scheduler) }
    let third = orders[2]
    let reader = Task { try await Outcome.collect(try third.submit(to: scheduler)) }
    reader.cancel()
    _ = try await reader.value
    // While waiting in the queue.
    let blockers = try (0..<2).map { _ in try orders[3].submit(to: scheduler) }
    let waiting = try orders[3].submit(to: scheduler)
    waiting.cancel()
    let outcome = try await Outcome.collect(waiting)
    #expect(outcome == Outcome(tokens: [], reason: .cancelled) || outcome.tokens.count < 130)
    for blocker in blockers { #expect(try await Outcome.collect(blocker).tokens.count == 130) }
    await scheduler.shutdown()
    #expect(scheduler.metrics.active == 0 && scheduler.metrics.queued == 0)
    #expect(engine.cacheBytesInUse == 0)
  }

  @Test func queueIsBounded() async throws {
    var random = SplitMix64(seed: 12)
    let engine = try Engine(image: Self.image, options: EngineOptions.sharing(threads: 1))
    let scheduler = try Scheduler(engine: engine, options: SchedulerOptions(activeMax: 2, queueMax: 3))
    let order = try Order(&random, maxTokens: 130).endless
    let accepted = try (0..<5).map { _ in try order.submit(to: scheduler) }
    #expect(throws: GenerationRejection.queueFull(max: 3)) { try order.submit(to: scheduler) }
    #expect(scheduler.metrics.refusedQueueFull == 1)
    for generation in accepted { #expect(try await Outcome.collect(generation).reason == .length) }
    // Room again.
    #expect(try await Outcome.collect(try order.submit(to: scheduler)).tokens.count == 130)
    await scheduler.shutdown()
  }

  @Test func drainFinishesWhatWasAccepted() async throws {
    var random = SplitMix64(seed: 13)
    let engine = try Engine(image: Self.image, options: EngineOptions.sharing(threads: 2))
    let scheduler = try Scheduler(engine: engine, options: SchedulerOptions(activeMax: 2))
    let order = try Order(&random, maxTokens: 100).endless
    let accepted = try (0..<6).map { _ in try order.submit(to: scheduler) }
    async let drained: Void = scheduler.drain()
    for generation in accepted {
      #expect(try await Outcome.collect(generation).tokens.count == 100)
    }
    await drained
    #expect(throws: GenerationRejection.shuttingDown) { try order.submit(to: scheduler) }
    await scheduler.drain()
  }

  @Test func shutdownCancelsWhatRuns() async throws {
    var random = SplitMix64(seed: 14)
    let engine = try Engine(image: Self.image, options: EngineOptions.sharing(threads: 2))
    let scheduler = try Scheduler(engine: engine, options: SchedulerOptions(activeMax: 2))
    let order = try Order(&random, maxTokens: 130).endless
    let accepted = try (0..<6).map { _ in try order.submit(to: scheduler) }
    await scheduler.shutdown()
    for generation in accepted {
      let outcome = try await Outcome.collect(generation)
      #expect(outcome.reason == .cancelled || outcome.tokens.count == 130)
    }
  }

  @Test func badRequestsAreRefused() throws {
    let engine = try Engine(image: Self.image, options: EngineOptions.sharing(threads: 1))
    let scheduler = try Scheduler(
      engine: engine, options: SchedulerOptions(cacheBytesMax: engine.cacheBytes(positions: 64)))
    func refusal(_ prompt: [Int32], _ parameters: SamplingParameters) -> GenerationRejection? {
      do {
        _ = try scheduler.submit(prompt: prompt, parameters: parameters, streamKey: nil, endTokens: [])
        return nil
      } catch { return error }
    }
    let one = try SamplingParameters(maxTokens: 1)
    #expect(refusal([], one) == .emptyPrompt)
    #expect(refusal([1, 211], one) == .tokenOutsideVocabulary(211, index: 1, vocabularySize: 211))
    #expect(refusal([-1], one) == .tokenOutsideVocabulary(-1, index: 0, vocabularySize: 211))
    #expect(refusal([Int32](repeating: 1, count: 160), one) == .promptTooLong(tokens: 160, contextLength: 160))
    #expect(refusal([1], try SamplingParameters(temperatureMicros: 1000, maxTokens: 1)) == .missingStreamKey)
    let long = try SamplingParameters(maxTokens: 100)
    #expect(
      refusal([1], long)
        == .cacheTooSmall(bytes: engine.cacheBytes(positions: 101), max: engine.cacheBytes(positions: 64)))
  }
}

extension SchedulerTests.Order {
  /// The same without an end of sequence, so that only the limit ends it.
  var endless: Self { Self(prompt: prompt, parameters: parameters, streamKey: streamKey, endTokens: []) }

  private init(prompt: [Int32], parameters: SamplingParameters, streamKey: StreamKey, endTokens: [Int32]) {
    self.prompt = prompt
    self.parameters = parameters
    self.streamKey = streamKey
    self.endTokens = endTokens
  }
}
