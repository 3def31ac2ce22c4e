import Inference
import ModelGraph
import TestSupport
import Testing

/// What an engine does besides computing: sequences, refusals, threads.
@Suite struct EngineTests {
  static var image: ModelImage { SchedulerTests.image }

  static func tokens(_ count: Int, seed: UInt64) -> [Int32] {
    var random = SplitMix64(seed: seed)
    return (0..<count).map { _ in Int32.random(in: 0..<211, using: &random) }
  }

  @Test func unknownKernelsAreNamed() throws {
    #expect(KernelChoice.available.last == "scalar")
    #expect(throws: EngineFailure.kernelsNotAvailable("mmx", available: KernelChoice.available)) {
      _ = try Engine(image: Self.image, options: EngineOptions(kernels: KernelChoice("mmx")))
    }
    #expect("\(EngineFailure.kernelsNotAvailable("mmx", available: ["avx2", "scalar"]))".contains("avx2, scalar"))
    #expect(try Engine(image: Self.image).kernels == KernelChoice.available[0])
    #expect(throws: EngineFailure.threadsOutOfRange(0, max: EngineOptions.threadsMax)) {
      _ = try Engine(image: Self.image, options: EngineOptions(threads: 0))
    }
    #expect(throws: EngineFailure.prefillChunkOutOfRange(0, max: EngineOptions.prefillChunkMax)) {
      _ = try Engine(image: Self.image, options: EngineOptions(prefillChunk: 0))
    }
  }

  @Test func badTokensChangeNothing() throws {
    let engine = try Engine(image: Self.image, options: EngineOptions.sharing(threads: 1))
    let (good, bad) = (engine.makeSequence(), engine.makeSequence())
    #expect(throws: EvaluationRejection.tokenOutsideVocabulary(211, index: 1, vocabularySize: 211)) {
      try engine.evaluate([Slice(sequence: good, tokens: [1]), Slice(sequence: bad, tokens: [1, 211])])
    }
    #expect(throws: EvaluationRejection.contextExceeded(positions: 161, contextLength: 160)) {
      try engine.evaluate([Slice(sequence: good, tokens: [Int32](repeating: 1, count: 161))])
    }
    #expect(good.count == 0 && bad.count == 0 && engine.cacheBytesInUse == 0)
    try engine.evaluate([Slice(sequence: good, tokens: [Int32](repeating: 1, count: 160))])
    #expect(throws: EvaluationRejection.contextExceeded(positions: 161, contextLength: 160)) {
      try engine.evaluate([Slice(sequence: good, tokens: [1])])
    }
  }

  /// Both ways to go back give what a new sequence gives, and leave the other branch alone.
  @Test func truncationAndForks() throws {
    let engine = try Engine(image: Self.image, options: EngineOptions.sharing(threads: 2, prefillChunk: 19))
    let (long, other) = (Self.tokens(150, seed: 1), Self.tokens(150, seed: 2))
    func fresh(_ tokens: [Int32]) throws -> [Logits] {
      try engine.evaluate([Slice(sequence: engine.makeSequence(), tokens: tokens, logits: .all)])[0]
    }
    for cut in [0, 1, 63, 64, 65, 100, 128, 150] {
      let sequence = engine.makeSequence()
      try engine.evaluate([Slice(sequence: sequence, tokens: long, logits: .none)])
      let fork = try sequence.fork(at: cut)
      sequence.truncate(to: cut / 2)
      let branches = [Array(other[..<(150 - cut)]), Array(other[..<(150 - cut / 2)])]
      let found = try engine.evaluate([
        Slice(sequence: sequence, tokens: branches[1], logits: .all),
        Slice(sequence: fork, tokens: branches[0], logits: .all),
      ])
      #expect(try Array(fresh(Array(long[..<(cut / 2)]) + branches[1])[(cut / 2)...]) == found[0], "cut \(cut)")
      #expect(try Array(fresh(Array(long[..<cut]) + branches[0])[cut...]) == found[1], "cut \(cut)")
    }
    #expect(engine.cacheBytesInUse == 0)
  }

  @Test func recomputationGivesEveryPosition() throws {
    let tokens = Self.tokens(140, seed: 3)
    let engine = try Engine(image: Self.image, options: EngineOptions.sharing(threads: 2, prefillChunk: 50))
    let expected = try engine.evaluate([Slice(sequence: engine.makeSequence(), tokens: tokens, logits: .all)])[0]
    for first in [0, 1, 77, 139, 140] {
      var found: [Logits] = []
      try EngineRecomputation(engine: engine).logits(for: tokens, from: first) { position, logits in
        #expect(position == first + found.count)
        found.append(logits)
        return true
      }
      #expect(found == Array(expected[first...]))
    }
    var calls = 0
    try EngineRecomputation(engine: engine).logits(for: tokens, from: 10) { _, _ in
      calls += 1
      return calls < 5
    }
    #expect(calls == 5)
    #expect(EngineRecomputation(engine: engine).description == "\(engine.kernels) kernels on 2 threads")
  }

  /// Threads start and end with their engine, also when it never computes.
  @Test func enginesComeAndGo() throws {
    let tokens = Self.tokens(40, seed: 4)
    let expected = try Engine(image: Self.image, options: EngineOptions.sharing(threads: 1)).lastLogits(tokens)
    for round in 0..<60 {
      let engine = try Engine(image: Self.image, options: EngineOptions.sharing(threads: 1 + round % 6))
      if round % 3 > 0 { #expect(try engine.lastLogits(tokens) == expected) }
    }
  }

  /// Callers on several threads take turns.
  @Test func concurrentCallers() async throws {
    let engine = try Engine(image: Self.image, options: EngineOptions.sharing(threads: 2))
    let tokens = Self.tokens(90, seed: 5)
    let expected = try engine.lastLogits(tokens)
    try await withThrowingTaskGroup(of: Logits.self) { group in
      for _ in 0..<12 { group.addTask { try engine.lastLogits(tokens) } }
      for try await logits in group { #expect(logits == expected) }
    }
  }
}

extension Engine {
  fileprivate func lastLogits(_ tokens: [Int32]) throws -> Logits {
    try evaluate([Slice(sequence: makeSequence(), tokens: tokens)])[0][0]
  }
}
