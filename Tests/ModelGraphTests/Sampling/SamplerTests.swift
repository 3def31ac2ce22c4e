import Digests
import ModelGraph
import Testing

@Suite struct SamplerTests {
  func key(_ parameters: SamplingParameters, nonce: [UInt8] = [7]) -> StreamKey {
    StreamKey(model: Digest(of: [1]), inputTokens: [1, 2], parameters: parameters, nonce: nonce)
  }

  /// The ids of `count` draws at output positions 0, 1, 2, … with the same logits.
  func draws(_ logits: Logits, _ parameters: SamplingParameters, count: Int) -> [Int32] {
    let sampler = Sampler(parameters: parameters, streamKey: key(parameters))
    var state = SamplerState(prompt: [])
    return (0..<count).map { _ in
      let id = sampler.next(logits: logits, state: state)
      state.append(id)
      return id
    }
  }

  /// Logits in units of 2^-16.
  func logits(_ l: [Int]) -> Logits { Logits(values: l.map { Int32($0) }, exponent: -16) }

  func parameters(
    temperature: Int = 1_000_000, topK: Int = 0, topP: Int = 1_000_000, minP: Int = 0, repetition: Int = 1_000_000,
    frequency: Int = 0, presence: Int = 0, bias: [SamplingParameters.LogitBias] = [], seed: UInt64? = 1
  ) throws -> SamplingParameters {
    try SamplingParameters(
      temperatureMicros: temperature, topK: topK, topPMicros: topP, minPMicros: minP,
      repetitionPenaltyMicros: repetition, frequencyPenaltyMicros: frequency, presencePenaltyMicros: presence,
      logitBias: bias, seed: seed, maxTokens: 16)
  }

  /// Random parameters that hit edges often.
  func randomParameters(_ vocabulary: Int, _ random: inout SeededRandom) throws -> SamplingParameters {
    func pick(_ edges: [Int], _ range: ClosedRange<Int>) -> Int {
      Int.random(in: 0..<3, using: &random) == 0
        ? Int.random(in: range, using: &random) : edges.randomElement(using: &random)!
    }
    let tokens = Set(
      (0..<Int.random(in: 0...3, using: &random)).map { _ in Int32.random(in: 0..<Int32(vocabulary + 3), using: &random)
      })
    let bias = tokens.sorted().map {
      SamplingParameters.LogitBias(token: $0, micros: pick([-100_000_000, 100_000_000, 1, -1], -3_000_000...3_000_000))
    }
    return try parameters(
      temperature: pick([0, 1000, 1_000_000, 2_000_000, 999_999], 1000...2_000_000),
      topK: pick([0, 0, 1, 2, vocabulary, vocabulary + 1], 0...(vocabulary + 1)),
      topP: pick([1_000_000, 1_000_000, 1, 999_999, 500_000], 1...1_000_000),
      minP: pick([0, 0, 1_000_000, 1, 999_999], 0...1_000_000),
      repetition: pick([1_000_000, 1_000_000, 100_000, 10_000_000], 100_000...10_000_000),
      frequency: pick([0, 0, 2_000_000, -2_000_000, 1], -2_000_000...2_000_000),
      presence: pick([0, 0, 2_000_000, -2_000_000, -1], -2_000_000...2_000_000), bias: bias, seed: random.next())
  }

  @Test func equalsTheLiteralSampler() throws {
    var random = SeededRandom.forTest()
    var seen: [Int32: Int] = [:]
    for round in 0..<2500 {
      let vocabulary = [1, 2, 5, 17, 60].randomElement(using: &random)!
      let p = try randomParameters(vocabulary, &random)
      let exponent = [-16, -16, -26, -30, -10, 5, 300, -300, -17].randomElement(using: &random)!
      // Narrow ranges make ties and near ties.
      let range = [2, 40_000, 1_000_000, 5_000_000, Int(Int32.max)].randomElement(using: &random)!
      let logits = Logits(
        values: (0..<vocabulary).map { _ in Int32(Int.random(in: -range...range, using: &random)) }, exponent: exponent)
      func ids(_ most: Int) -> [Int32] {
        (0..<Int.random(in: 0...most, using: &random)).map { _ in
          Int32.random(in: 0..<Int32(vocabulary + (round % 50 == 0 ? 9 : 0)), using: &random)
        }
      }
      let (prompt, output) = (ids(6), ids(12))
      let key = key(p)
      let wanted = LiteralSampler.next(logits, prompt, output, p) { key.draw(position: $0) }
      let sampler = Sampler(parameters: p, streamKey: key)
      #expect(sampler.next(logits: logits, prompt: prompt, output: output) == wanted, "round \(round): \(p)")
      var state = SamplerState(prompt: prompt)
      for id in output { state.append(id) }
      for u: UInt64 in [0, .max, 1 << 63, (1 << 63) - 1, 1 << 62] {
        let edge = LiteralSampler.next(logits, prompt, output, p) { _ in u }
        #expect(sampler.next(logits: logits, state: state) { u } == edge, "round \(round), u \(u): \(p)")
      }
      seen[wanted, default: 0] += 1
    }
    #expect(seen.count > 30)
  }

  @Test func equalsTheLiteralSamplerOnALargeVocabulary() throws {
    var random = SeededRandom.forTest()
    for round in 0..<24 {
      let p = try parameters(
        temperature: [300_000, 1_000_000, 2_000_000][round % 3], topK: [0, 40, 0, 5000][round % 4],
        topP: [1_000_000, 950_000][round % 2], minP: round % 5 == 0 ? 1000 : 0, frequency: 100_000, seed: random.next())
      let values = (0..<20_000).map { _ in
        Int32((0..<6).reduce(0) { sum, _ in sum + Int.random(in: -90_000...90_000, using: &random) })
      }
      let logits = Logits(values: values, exponent: -16)
      let output = (0..<50).map { _ in Int32.random(in: 0..<20_000, using: &random) }
      let key = key(p)
      let wanted = LiteralSampler.next(logits, [], output, p) { key.draw(position: $0) }
      #expect(Sampler(parameters: p, streamKey: key).next(logits: logits, prompt: [], output: output) == wanted)
    }
  }

  /// What makes every limit keep a beginning of the same order: T falls, also from the end of one power of two to
  /// the beginning of the next.
  @Test func weightsNeverGrowWithTheDistance() {
    let table = Tables.exponential
    for f in 1..<4096 { #expect(table[f] <= table[f - 1]) }
    #expect(table.count == 4096 && 2 * table[4095] >= table[0])
  }

  @Test func greedyTakesTheSmallestOfTheLargest() {
    let sampler = Sampler(parameters: .greedy, streamKey: nil)
    #expect(sampler.next(logits: logits([3, 9, 9, 2]), prompt: [], output: []) == 1)
    #expect(sampler.next(logits: logits([-5]), prompt: [], output: []) == 0)
    // Mantissas that differ but round to the same 2^-16 are tied.
    #expect(sampler.next(logits: Logits(values: [1024, 1025, 1030], exponent: -26), prompt: [], output: []) == 0)
    #expect(sampler.next(logits: Logits(values: [1, .max, .max - 1], exponent: 200), prompt: [], output: []) == 0)
  }

  /// The first candidate whose running sum exceeds r: r at the sum itself belongs to the next one.
  @Test func randomBitsAtTheEdges() throws {
    let sampler = Sampler(parameters: try parameters(), streamKey: key(try parameters()))
    func next(_ l: [Int], _ u: UInt64) -> Int32 {
      sampler.next(logits: logits(l), state: SamplerState(prompt: [])) { u }
    }
    #expect(next([7, 7], 0) == 0 && next([7, 7], (1 << 63) - 1) == 0)
    #expect(next([7, 7], 1 << 63) == 1 && next([7, 7], .max) == 1)
    let quarters = (0..<4).map { next([1, 1, 1, 1], UInt64($0) << 62) }
    #expect(quarters == [0, 1, 2, 3])
    // Weight 1 is the smallest there is: only the largest r reaches it, and beyond 41 halvings there is none.
    let step = ((41 * 4096) << 24) / 1_512_775
    #expect(next([0, -step], .max) == 1 && next([0, -step - 8], .max) == 0)
  }

  @Test func smallTemperatureTakesTheLargest() throws {
    let p = try parameters(temperature: 1000)
    #expect(Set(draws(logits([0, 65536, 1000]), p, count: 200)) == [1])
  }

  @Test func tiesAreOrderedById() throws {
    // Four equal logits: top-k 2 keeps ids 0 and 1; top-p of a half as well.
    let flat = logits([5, 5, 5, 5])
    #expect(Set(draws(flat, try parameters(topK: 2), count: 200)) == [0, 1])
    #expect(Set(draws(flat, try parameters(topP: 500_000), count: 200)) == [0, 1])
    #expect(Set(draws(flat, try parameters(topP: 500_001), count: 400)) == [0, 1, 2])
    #expect(Set(draws(flat, try parameters(topK: 3, topP: 500_000), count: 400)) == [0, 1])
    #expect(Set(draws(flat, try parameters(topP: 1), count: 200)) == [0])
    #expect(Set(draws(flat, try parameters(minP: 1_000_000), count: 400)) == [0, 1, 2, 3])
    #expect(Set(draws(flat, try parameters(topK: 1), count: 100)) == [0])
  }

  @Test func minPCutsByTheFirstWeight() throws {
    // ln 2 in units of 2^-16 is 45426: each candidate half of the one before.
    let halves = logits([0, -45426, -2 * 45426, -3 * 45426])
    #expect(Set(draws(halves, try parameters(minP: 499_000), count: 400)) == [0, 1])
    #expect(Set(draws(halves, try parameters(minP: 240_000), count: 800)) == [0, 1, 2])
    #expect(Set(draws(halves, try parameters(minP: 510_000), count: 400)) == [0])
  }

  @Test func distributionIsThatOfTheLogits() throws {
    // Weights 8 : 4 : 2 : 1, 15000 draws. Five standard deviations of the largest count are 305.
    let counts = draws(logits([-45426, 0, -3 * 45426, -2 * 45426]), try parameters(), count: 15_000)
      .reduce(into: [Int](repeating: 0, count: 4)) { $0[Int($1)] += 1 }
    for (count, wanted) in zip(counts, [4000, 8000, 1000, 2000]) { #expect(abs(count - wanted) < 310) }
    // Temperature 2 halves the exponents: 8 : 4√2 : 4 : 2√2, about 4000 of 10243.
    let warm = draws(
      logits([-45426, 0, -3 * 45426, -2 * 45426]), try parameters(temperature: 2_000_000), count: 15_000
    )
    .reduce(into: [Int](repeating: 0, count: 4)) { $0[Int($1)] += 1 }
    for (count, wanted) in zip(warm, [4142, 5858, 2071, 2929]) { #expect(abs(count - wanted) < 310) }
  }

  @Test func penaltiesAndBias() throws {
    func next(_ p: SamplingParameters, _ l: [Int], prompt: [Int32] = [], output: [Int32] = []) -> Int32 {
      Sampler(parameters: p, streamKey: nil).next(logits: logits(l), prompt: prompt, output: output)
    }
    let l = [10 * 65536, 9 * 65536, -65536]
    #expect(next(try parameters(temperature: 0), l) == 0)
    // Repetition counts prompt and output; it divides what is positive and multiplies what is not.
    let repeated = try parameters(temperature: 0, repetition: 1_200_000)
    #expect(next(repeated, l, prompt: [0]) == 1)
    #expect(next(repeated, l, output: [0]) == 1)
    #expect(next(repeated, l, prompt: [0, 1]) == 0)
    #expect(next(repeated, [-65536, -70000], prompt: [0]) == 1)
    // Frequency counts, presence does not; the prompt does not matter to either.
    #expect(next(try parameters(temperature: 0, frequency: 600_000), l, output: [0]) == 0)
    #expect(next(try parameters(temperature: 0, frequency: 600_000), l, output: [0, 0]) == 1)
    #expect(next(try parameters(temperature: 0, frequency: 600_000), l, prompt: [0, 0]) == 0)
    #expect(next(try parameters(temperature: 0, presence: 600_000), l, output: [0, 0]) == 0)
    #expect(next(try parameters(temperature: 0, presence: 1_000_016), l, output: [0]) == 1)
    #expect(next(try parameters(temperature: 0, presence: 2_000_000), l, prompt: [0]) == 0)
    #expect(next(try parameters(temperature: 0, bias: [.init(token: 2, micros: 11_000_016)]), l) == 2)
    #expect(next(try parameters(temperature: 0, bias: [.init(token: 0, micros: -1_000_000)]), l) == 0)
    #expect(next(try parameters(temperature: 0, bias: [.init(token: 0, micros: -1_000_016)]), l) == 1)
    // Ids outside the vocabulary count for nothing.
    #expect(
      next(
        try parameters(temperature: 0, bias: [.init(token: 3, micros: 1)]), l, prompt: [-1, .max], output: [.min, 99])
        == 0)
  }

  @Test func extremesDoNotTrap() throws {
    var random = SeededRandom.forTest()
    for exponent in [Int.min + 16, -1000, -47, 5, 6, 1000, Int.max - 16] {
      for temperature in [0, 1000, 2_000_000] {
        let p = try parameters(
          temperature: temperature, topP: 999_999, minP: 1, repetition: 10_000_000, frequency: -2_000_000,
          presence: -2_000_000, bias: [.init(token: 0, micros: 100_000_000)])
        let l = Logits(values: [.max, .min, 0, -1, 1, .max], exponent: exponent)
        let id = Sampler(parameters: p, streamKey: key(p))
          .next(logits: l, prompt: [0, 1], output: (0..<1000).map { _ in Int32.random(in: 0..<6, using: &random) })
        #expect((0..<6).contains(id))
      }
    }
  }

  @Test func theStateIsThatOfTheSequences() throws {
    var random = SeededRandom.forTest()
    let p = try parameters(repetition: 1_300_000, frequency: 400_000)
    let sampler = Sampler(parameters: p, streamKey: key(p))
    let prompt: [Int32] = [3, 1, 3]
    var state = SamplerState(prompt: prompt)
    var output: [Int32] = []
    for _ in 0..<60 {
      let l = logits((0..<9).map { _ in Int.random(in: -100_000...100_000, using: &random) })
      let id = sampler.next(logits: l, state: state)
      #expect(id == sampler.next(logits: l, prompt: prompt, output: output))
      output.append(id)
      state.append(id)
      #expect(state.outputCount == output.count)
    }
  }
}
