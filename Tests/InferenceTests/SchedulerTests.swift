import Digests
import Inference
import ModelGraph
import TestSupport
import Testing

/// The scheduler gives every request what it would get alone, whatever the company.
@Suite struct SchedulerTests {
  static let image = image(context: 160)

  static func image(context: Int) -> ModelImage {
    let config = SyntheticModel.configuration(
      hidden: 64, layers: 2, heads: 4, keyValueHeads: 2, headDimension: 16, intermediate: 96, vocabulary: 211,
      context: context, tied: true)
    guard let image = try? SyntheticModel(config: config).image(seed: 7) else { preconditionFailure("a valid model") }
    return image
  }

  @Test func equalsAloneUnderRandomSchedules() async throws {
    let seed = Seed.value
    var random = SplitMix64(seed: seed)
    let engine = try Engine(
      image: Self.image(context: 340), options: EngineOptions.sharing(threads: 2, prefillChunk: 32))
    let stems = Stems(vocabulary: 211, length: 330, &random)
    let orders = try (0..<60).map { _ in try Order(prompt: stems.prompt(&random), vocabulary: 211, &random) }
    let alone = try orders.map { try $0.alone(on: engine) }
    #expect(Set(alone.map(\.reason)) == [.stop, .length], "seed \(seed)")
    var accepted = 0
    let drafts: [any Drafting] =
      [PromptLookup()] + (try KnownAnswers.Errors.allCases.map { try KnownAnswers(orders, on: engine, errors: $0) })
    let page = engine.cacheBytes(positions: 64)
    for options in [
      SchedulerOptions(activeMax: 1, queueMax: 100),
      SchedulerOptions(activeMax: 3, queueMax: 100, prefillRowsPerStep: 1, prefixCacheBytesMax: 0),
      SchedulerOptions(activeMax: 7, queueMax: 100, prefillRowsPerStep: 10),
      SchedulerOptions(activeMax: 5, queueMax: 100, prefillRowsPerStep: 50, prefixCacheBytesMax: 3 * page),
      SchedulerOptions(activeMax: 16, queueMax: 100, cacheBytesMax: 14 * page),
      SchedulerOptions(activeMax: 16, queueMax: 100, cacheBytesMax: 6 * page, prefixCacheBytesMax: 4 * page),
      SchedulerOptions(activeMax: 4, queueMax: 100, prefixCacheBytesMax: 0, draftTokensMax: 0),
      SchedulerOptions(
        activeMax: 2, queueMax: 100, prefixCacheBytesMax: 5 * page, draftTokensMax: 30, draftRowsPerStep: 40),
    ] {
      for (cancelling, drafting) in [(false, drafts[0]), (true, drafts[1]), (false, drafts[2]), (true, drafts[3])] {
        let scheduler = try Scheduler(engine: engine, options: options, drafting: drafting)
        let outcomes = try await Round(orders, cancelling: cancelling, &random).outcomes(of: scheduler)
        for (index, outcome) in outcomes.enumerated() {
          let isRight = cancelling ? outcome.isPart(of: alone[index]) : outcome == alone[index]
          #expect(isRight, "seed \(seed), request \(index), \(options)")
        }
        await scheduler.drain()
        let metrics = scheduler.metrics
        #expect(metrics.active == 0 && metrics.queued == 0 && metrics.submitted == orders.count)
        #expect(metrics.finished.values.reduce(0, +) == orders.count)
        #expect(metrics.prefixBytes == 0 && engine.cacheBytesInUse == 0, "pages are given back")
        #expect((metrics.prefixTokensReused > 0) == (options.prefixCacheBytesMax > 0), "seed \(seed), \(options)")
        #expect(metrics.tokensAccepted <= metrics.tokensDrafted)
        if options.draftTokensMax == 0 { #expect(metrics.tokensDrafted == 0) }
        accepted += metrics.tokensAccepted
        if cancelling { continue }
        #expect(metrics.tokensIn + metrics.prefixTokensReused == orders.reduce(0) { $0 + $1.prompt.count })
        #expect(metrics.tokensOut == alone.reduce(0) { $0 + $1.tokens.count })
      }
    }
    #expect(accepted > 0, "seed \(seed)")
  }

  private func order(_ random: inout SplitMix64, maxTokens: Int) throws -> Order {
    let count = Int.random(in: 1...20, using: &random)
    let prompt = (0..<count).map { _ in Int32.random(in: 0..<211, using: &random) }
    return try Order(prompt: prompt, vocabulary: 211, maxTokens: maxTokens, &random)
  }

  @Test func cancellationEndsRequests() async throws {
    var random = SplitMix64(seed: 11)
    let engine = try Engine(image: Self.image, options: EngineOptions.sharing(threads: 1))
    let scheduler = try Scheduler(engine: engine, options: SchedulerOptions(activeMax: 2))
    let orders = try (0..<4).map { _ in try order(&random, maxTokens: 130) }.map { $0.endless }
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
    let probe = SchedulerProbe(engine)
    let scheduler = try Scheduler(
      engine: engine, options: SchedulerOptions(activeMax: 2, queueMax: 3), drafting: probe)
    let order = try order(&random, maxTokens: 130).endless
    let accepted = try (0..<5).map { _ in try order.submit(to: scheduler) }
    #expect(throws: GenerationRejection.queueFull(max: 3)) { try order.submit(to: scheduler) }
    #expect(scheduler.metrics.refusedQueueFull == 1)
    probe.open()
    for generation in accepted { #expect(try await Outcome.collect(generation).reason == .length) }
    // Room again.
    #expect(try await Outcome.collect(try order.submit(to: scheduler)).tokens.count == 130)
    await scheduler.shutdown()
  }

  @Test func drainFinishesWhatWasAccepted() async throws {
    var random = SplitMix64(seed: 13)
    let engine = try Engine(image: Self.image, options: EngineOptions.sharing(threads: 2))
    let scheduler = try Scheduler(engine: engine, options: SchedulerOptions(activeMax: 2))
    let order = try order(&random, maxTokens: 100).endless
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
    let order = try order(&random, maxTokens: 130).endless
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
