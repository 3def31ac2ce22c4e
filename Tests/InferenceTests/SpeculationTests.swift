import Inference
import ModelGraph
import TestSupport
import Testing

/// Guessing ahead changes how many steps an answer takes, and nothing else.
@Suite struct SpeculationTests {
  private let engine: Engine

  init() throws {
    engine = try Engine(
      image: SchedulerTests.image(context: 150), options: EngineOptions.sharing(threads: 2, prefillChunk: 32))
  }

  private func order(
    prompt: Int, maxTokens: Int, temperature: Int = 0, endTokens: [Int32] = []
  ) throws -> Order {
    let parameters = try SamplingParameters(temperatureMicros: temperature, seed: 5, maxTokens: maxTokens)
    return Order(prompt: EngineTests.tokens(prompt, seed: 80), parameters: parameters, endTokens: endTokens)
  }

  /// Answers of all lengths up to the end of the context, on their own.
  @Test(arguments: KnownAnswers.Errors.allCases, [0, 900_000])
  func everyLengthIsRight(_ errors: KnownAnswers.Errors, temperature: Int) async throws {
    for maxTokens in [1, 2, 3, 4, 5, 8, 9, 10, 11, 17, 49, 50, 51, 100] {
      let order = try order(prompt: 100, maxTokens: maxTokens, temperature: temperature)
      let scheduler = try Scheduler(
        engine: engine, options: SchedulerOptions(), drafting: try KnownAnswers([order], on: engine, errors: errors))
      let outcome = try await Outcome.collect(try order.submit(to: scheduler))
      #expect(try outcome == order.alone(on: engine), "\(errors), \(maxTokens) tokens")
      #expect(outcome.tokens.count == min(50, maxTokens) && outcome.reason == .length)
      await scheduler.drain()
      let metrics = scheduler.metrics
      #expect(metrics.tokensOut == outcome.tokens.count && engine.cacheBytesInUse == 0)
      switch errors {
      case .none: #expect(metrics.tokensAccepted == metrics.tokensDrafted)
      case .some: #expect(metrics.tokensAccepted <= metrics.tokensDrafted)
      case .all: #expect(metrics.tokensAccepted == 0)
      }
      // The first step with a draft is the second, for an answer of three tokens.
      #expect((metrics.tokensDrafted > 0) == (maxTokens >= 3))
    }
  }

  /// Right drafts: 1 token from the prompt, then 1 + 3, 1 + 7, 1 + 7, … tokens a step.
  @Test func rightDraftsSaveSteps() async throws {
    let order = try order(prompt: 100, maxTokens: 45)
    for (draftTokensMax, steps) in [(0, 45), (1, 23), (3, 12), (7, 7)] {
      let scheduler = try Scheduler(
        engine: engine, options: SchedulerOptions(prefillRowsPerStep: 100, draftTokensMax: draftTokensMax),
        drafting: try KnownAnswers([order], on: engine, errors: .none))
      #expect(try await Outcome.collect(try order.submit(to: scheduler)) == order.alone(on: engine))
      await scheduler.drain()
      // Prompts of 100 tokens take 1 step.
      #expect(scheduler.metrics.steps == steps, "drafts of \(draftTokensMax)")
      #expect(scheduler.metrics.tokensAccepted == 45 - steps)
    }
  }

  /// Nothing follows an end of sequence, wherever in a draft it is.
  @Test func aDraftEndsWithTheAnswer() async throws {
    let endless = try order(prompt: 60, maxTokens: 80, temperature: 1_500_000)
    let told = try endless.alone(on: engine).tokens
    for end in Set(told.prefix(12) + told.suffix(4)) {
      let order = Order(prompt: endless.prompt, parameters: endless.parameters, endTokens: [end])
      let scheduler = try Scheduler(
        engine: engine, options: SchedulerOptions(), drafting: try KnownAnswers([order], on: engine, errors: .none))
      let outcome = try await Outcome.collect(try order.submit(to: scheduler))
      let length = (told.firstIndex(of: end) ?? 0) + 1
      #expect(outcome == Outcome(tokens: Array(told[..<length]), reason: .stop))
      // The next turn finds the pages of what was confirmed.
      let next = Order(prompt: order.prompt + outcome.tokens + [1, 2, 3], parameters: order.parameters)
      let again = try next.submit(to: scheduler)
      #expect(try await Outcome.collect(again) == next.alone(on: engine))
      #expect(again.promptTokensReused == (60 + length - 1) / 64 * 64)
      await scheduler.drain()
      #expect(scheduler.metrics.tokensOut == length + min(80, 150 - next.prompt.count))
    }
  }

  /// A step never has more rows with drafts than it may.
  @Test func draftsNeedRoom() async throws {
    let engine = try Engine(
      image: SchedulerTests.image, options: EngineOptions.sharing(threads: 1, prefillChunk: 2))
    let orders = try (0..<6).map { try order(prompt: 10 + $0, maxTokens: 60) }
    for (active, rows) in [(6, 6), (6, 0), (6, 9), (3, 8), (1, 4), (1, 1)] {
      let scheduler = try Scheduler(
        engine: engine,
        options: SchedulerOptions(activeMax: active, prefillRowsPerStep: 1, draftRowsPerStep: rows),
        drafting: try KnownAnswers(orders, on: engine, errors: .none))
      var random = SplitMix64(seed: 81)
      let outcomes = try await Round(orders, cancelling: false, &random).outcomes(of: scheduler)
      #expect(try outcomes == orders.map { try $0.alone(on: engine) })
      await scheduler.drain()
      // Prompts take two rows by themselves and one beside answers, which then have no drafts.
      #expect(scheduler.metrics.largestBatch <= max(2, rows, active + 1))
      if rows <= 1 { #expect(scheduler.metrics.tokensDrafted == 0) }
      if rows > active { #expect(scheduler.metrics.tokensDrafted > 0) }
    }
  }

  @Test func whatCameBeforeIsGuessedAgain() {
    func draft(_ tokens: [Int32], _ count: Int = 3) -> [Int32] { PromptLookup().draft(after: tokens, count: count) }
    #expect(draft([1]) == [] && draft([1, 2]) == [] && draft([1, 2, 3, 4]) == [])
    // One token is no match, two are.
    #expect(draft([5, 6, 7, 8, 5]) == [])
    #expect(draft([5, 6, 7, 8, 9, 5, 6]) == [7, 8, 9])
    #expect(draft([5, 6, 7, 8, 9, 5, 6], 1) == [7])
    // The last of equal matches, but the longest of all.
    #expect(draft([5, 6, 1, 5, 6, 2, 0, 0, 5, 6]) == [2, 0, 0])
    #expect(draft([4, 5, 6, 1, 1, 1, 5, 6, 2, 4, 5, 6]) == [1, 1, 1])
    #expect(draft([3, 4, 5, 6, 1, 9, 4, 5, 6, 2, 3, 4, 5, 6], 2) == [1, 9])
    // More than four tokens are not compared.
    #expect(draft([2, 3, 4, 5, 6, 1, 9, 3, 4, 5, 6, 2, 9, 2, 3, 4, 5, 6], 2) == [2, 9])
    // A period goes on.
    #expect(draft([7, 7, 7]) == [7, 7, 7])
    #expect(draft([1, 2, 1, 2, 1, 2], 5) == [1, 2, 1, 2, 1])
  }

  @Test func draftsThatAreWrongBecomeRare() {
    var length = DraftLength(max: 7)
    var drafted: [Int] = []
    for _ in 0..<1000 {
      drafted.append(length.take())
      if drafted.last != 0 { length.record(drafted: drafted.last ?? 0, accepted: 0) }
    }
    #expect(Array(drafted.prefix(8)) == [3, 0, 1, 0, 0, 1, 0, 0])
    #expect(drafted.reduce(0, +) < 40)
    // Right ones bring them back.
    for _ in 0..<200 {
      let count = length.take()
      if count > 0 { length.record(drafted: count, accepted: count) }
    }
    #expect(length.take() == 7)
    length.record(drafted: 7, accepted: 2)
    #expect(length.take() == 2)
    length.record(drafted: 1, accepted: 1)
    #expect(length.take() == 2, "there was no room for more, so nothing is known about more")
    var off = DraftLength(max: 0)
    #expect(off.take() == 0)
  }
}
