import Inference
import ModelGraph
import Testing

/// Whole pages of keys and values are computed once, and forgotten when they are in the way.
@Suite struct PrefixCacheTests {
  private let engine: Engine
  private let page: Int

  init() throws {
    engine = try Engine(
      image: SchedulerTests.image(context: 400), options: EngineOptions.sharing(threads: 2, prefillChunk: 100))
    page = engine.cacheBytes(positions: 64)
  }

  private func order(_ prompt: [Int32], maxTokens: Int = 1) throws -> Order {
    Order(prompt: prompt, parameters: try SamplingParameters(maxTokens: maxTokens))
  }

  /// - Returns: how many tokens of the prompt were reused.
  private func answer(_ order: Order, _ scheduler: Scheduler) async throws -> Int {
    let generation = try order.submit(to: scheduler)
    #expect(try await Outcome.collect(generation) == order.alone(on: engine))
    return generation.promptTokensReused
  }

  @Test(arguments: [1, 63, 64, 65, 66, 127, 128, 129, 130, 200, 399])
  func wholePagesAreReused(_ count: Int) async throws {
    let scheduler = try Scheduler(engine: engine)
    let order = try order(EngineTests.tokens(count, seed: 20))
    #expect(try await answer(order, scheduler) == 0)
    // One token at least is always evaluated.
    #expect(try await answer(order, scheduler) == (count - 1) / 64 * 64)
    #expect(scheduler.metrics.prefixTokensReused == (count - 1) / 64 * 64)
    #expect(scheduler.metrics.tokensIn == 2 * count - (count - 1) / 64 * 64)
    #expect(scheduler.metrics.prefixBytes == count / 64 * page)
    await scheduler.drain()
    #expect(engine.cacheBytesInUse == 0)
  }

  @Test func anotherTokenIsAnotherPrompt() async throws {
    let scheduler = try Scheduler(engine: engine)
    let prompt = EngineTests.tokens(200, seed: 21)
    #expect(try await answer(order(prompt), scheduler) == 0)
    for (changed, reused) in [(0, 0), (63, 0), (64, 64), (127, 64), (128, 128), (191, 128), (192, 192), (199, 192)] {
      var other = prompt
      other[changed] = (other[changed] + 1) % 211
      #expect(try await answer(order(other), scheduler) == reused, "token \(changed)")
    }
    // The second page of one prompt is not that of another with the same tokens there.
    let second = Array(prompt[64..<128])
    #expect(try await answer(order(second + second + [1]), scheduler) == 0)
    await scheduler.shutdown()
  }

  @Test func theNextTurnReusesTheAnswer() async throws {
    let scheduler = try Scheduler(engine: engine)
    let first = try order(EngineTests.tokens(50, seed: 22), maxTokens: 100)
    let told = try first.alone(on: engine).tokens
    #expect(try await answer(first, scheduler) == 0)
    // Of 150 tokens the last was never evaluated.
    let next = try order(first.prompt + told + EngineTests.tokens(20, seed: 23))
    #expect(try await answer(next, scheduler) == 128)
    await scheduler.shutdown()
  }

  /// Those that arrive together wait for the one that computes their common pages.
  @Test(arguments: [1, 20, 400])
  func aCommonPrefixIsComputedOnce(_ prefillRows: Int) async throws {
    let scheduler = try Scheduler(
      engine: engine, options: SchedulerOptions(activeMax: 6, prefillRowsPerStep: prefillRows))
    let prefix = EngineTests.tokens(200, seed: 24)
    let orders = try (0..<8).map {
      try order(prefix + EngineTests.tokens(10 + $0, seed: UInt64(30 + $0)), maxTokens: 5)
    }
    let generations = try orders.map { try $0.submit(to: scheduler) }
    for (order, generation) in zip(orders, generations) {
      #expect(try await Outcome.collect(generation) == order.alone(on: engine))
    }
    #expect(generations.map(\.promptTokensReused).sorted() == [0] + Array(repeating: 192, count: 7))
    #expect(scheduler.metrics.prefixTokensReused == 7 * 192)
    #expect(scheduler.metrics.prefixBytes == 3 * page, "equal pages are kept once")
    await scheduler.drain()
    #expect(engine.cacheBytesInUse == 0)
  }

  /// Two that compute the same page, because nobody could know that they would, hold one of both in the end.
  @Test func equalPagesAreHeldOnce() async throws {
    // The second page becomes whole while tokens are generated, the third never.
    let order = try order(EngineTests.tokens(100, seed: 25), maxTokens: 89)
    let probe = SchedulerProbe(engine)
    let scheduler = try Scheduler(engine: engine, options: SchedulerOptions(), drafting: probe)
    let generations = try (0..<2).map { _ in try order.submit(to: scheduler) }
    probe.open()
    for generation in generations { #expect(try await Outcome.collect(generation).tokens.count == 89) }
    #expect(probe.cacheBytesPeak == 4 * page)
    #expect(generations.map(\.promptTokensReused) == [0, 64] && scheduler.metrics.prefixBytes == 2 * page)
    await scheduler.drain()
    #expect(engine.cacheBytesInUse == 0)
  }

  @Test func theLeastRecentlyUsedGoFirst() async throws {
    let scheduler = try Scheduler(engine: engine, options: SchedulerOptions(prefixCacheBytesMax: 4 * page + 1))
    let prompts = try (0..<3).map { try order(EngineTests.tokens(130, seed: UInt64(40 + $0))) }
    _ = try await answer(prompts[0], scheduler)
    _ = try await answer(prompts[1], scheduler)
    #expect(scheduler.metrics.prefixPagesEvicted == 0 && scheduler.metrics.prefixBytes == 4 * page)
    #expect(try await answer(prompts[0], scheduler) == 128)
    // Takes the place of the second prompt's pages.
    #expect(try await answer(prompts[2], scheduler) == 0)
    #expect(scheduler.metrics.prefixPagesEvicted == 2 && scheduler.metrics.prefixBytes == 4 * page)
    #expect(try await answer(prompts[0], scheduler) == 128)
    #expect(try await answer(prompts[1], scheduler) == 0)
    // Of a prompt that is longer than the budget, the beginning is kept.
    let long = try order(EngineTests.tokens(399, seed: 50))
    #expect(try await answer(long, scheduler) == 0)
    #expect(try await answer(long, scheduler) == 256)
    #expect(scheduler.metrics.prefixBytes == 4 * page)
    await scheduler.drain()
    #expect(engine.cacheBytesInUse == 0)
  }

  /// A page is evicted after those that follow it.
  @Test func leavesGoFirst() async throws {
    let scheduler = try Scheduler(engine: engine, options: SchedulerOptions(prefixCacheBytesMax: 3 * page))
    let long = try order(EngineTests.tokens(200, seed: 51))
    _ = try await answer(long, scheduler)
    _ = try await answer(order(EngineTests.tokens(70, seed: 52)), scheduler)
    #expect(scheduler.metrics.prefixPagesEvicted == 1)
    #expect(try await answer(long, scheduler) == 128)
    await scheduler.shutdown()
  }

  /// Kept pages count against the limit of all pages, and go when a request needs their room.
  @Test func keptPagesMakeRoom() async throws {
    let max = 4 * page
    let probe = SchedulerProbe(engine)
    probe.open()
    let scheduler = try Scheduler(
      engine: engine, options: SchedulerOptions(cacheBytesMax: max), drafting: probe)
    for seed in 60..<66 {
      // Needs all four pages.
      let order = try order(EngineTests.tokens(200, seed: UInt64(seed)), maxTokens: 50)
      #expect(try await answer(order, scheduler) == 0)
      #expect(scheduler.metrics.prefixBytes == 3 * page)
    }
    #expect(scheduler.metrics.prefixPagesEvicted == 15)
    #expect(probe.cacheBytesPeak == max)
    // What a request uses itself is not in its way.
    let again = try order(EngineTests.tokens(200, seed: 65), maxTokens: 50)
    #expect(try await answer(again, scheduler) == 192)
    #expect(scheduler.metrics.prefixPagesEvicted == 15)
    await scheduler.drain()
    #expect(engine.cacheBytesInUse == 0)
  }

  @Test func offKeepsNothing() async throws {
    for bytes in [0, page - 1] {
      let scheduler = try Scheduler(engine: engine, options: SchedulerOptions(prefixCacheBytesMax: bytes))
      let order = try order(EngineTests.tokens(200, seed: 70))
      for _ in 0..<2 { #expect(try await answer(order, scheduler) == 0) }
      #expect(scheduler.metrics.prefixBytes == 0 && scheduler.metrics.prefixPagesEvicted == 0)
      await scheduler.shutdown()
    }
  }
}
