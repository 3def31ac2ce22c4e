import ModelGraph
import Testing

/// Norms and biases on tensors of hostile models, against the literal transcription.
@Suite struct NormTests {
  typealias Op = ReferenceOperators

  static func image(_ architecture: String, _ random: inout SeededRandom) throws -> ModelImage {
    let config = RandomModel.configuration(of: architecture, &random)
    return try RandomModel(architecture: architecture, config: config, content: .wild).image(&random)
  }

  static func act32(_ n: Int, _ random: inout SeededRandom) -> Act32 {
    let limit = 3 << 29
    let t = (0..<n).map { _ in Int32(random.spread(limit)) }
    return Act32(t, exponent: [-300, -28, 0, 300, random.spread(60)].randomElement(using: &random)!)
  }

  @Test func addBias() throws {
    var random = SeededRandom.forTest()
    for _ in 0..<30 {
      let bias = try NormTests.image("qwen2", &random).bias("layers.0.q_proj.bias")
      for _ in 0..<20 {
        var x = NormTests.act32(bias.values.count, &random)
        if Bool.random(using: &random) { x.exponent = -bias.exponent - Int.random(in: -10...20, using: &random) }
        let out = Op.addBias(x, bias)
        #expect(out == Literal.addBias(x, bias.values.map { Int128($0) }, bias.exponent))
        #expect(out.t.allSatisfy { abs(Int($0)) < 1 << 30 })
      }
    }
  }

  @Test func normHeads() throws {
    var random = SeededRandom.forTest()
    for _ in 0..<30 {
      let gain = try NormTests.image("qwen3", &random).gain("layers.0.q_norm")
      for _ in 0..<20 {
        let x = NormTests.act32(3 * gain.values.count, &random)
        let epsilon = [1, (1 << 53) - 1, abs(random.spread(1 << 52)) + 1].randomElement(using: &random)!
        let bigF = Int.random(in: 8...30, using: &random)
        let out = Op.normHeads(x, heads: 3, gain, epsilon: epsilon, fractionBits: bigF)
        #expect(
          out == Literal.normHeads(x, gain.values.map { Int128($0) }, gain.exponent, Int128(epsilon), bigF))
        #expect(out.t.allSatisfy { abs(Int($0)) < 1 << 30 })
      }
    }
  }

  /// Sums of squares and epsilon at their largest: S is just below 2^63.
  @Test func theWidestNormOfAHeadIsExact() throws {
    var random = SeededRandom.forTest()
    var config = RandomModel.configuration(hidden: 16384, layers: 1, heads: 1, intermediate: 1, vocabulary: 1)
    config.contextLength = 1
    let image = try RandomModel(
      architecture: "gemma2", config: config, content: .extreme(sameSign: false, exponent: 3)
    ).image(&random)
    let gain = image.gain("layers.0.post_attention_norm")
    let g = gain.values.map { Int128($0) }
    for t: Int32 in [(1 << 30) - 1, 1, 0] {
      for exponent in [-300, 0] {
        let x = Act32(Array(repeating: t, count: 16384), exponent: exponent)
        let epsilon = (1 << 53) - 1
        #expect(
          Op.normHeads(x, heads: 1, gain, epsilon: epsilon, fractionBits: 8)
            == Literal.normHeads(x, g, gain.exponent, Int128(epsilon), 8))
      }
    }
  }

  @Test func layerNorm() throws {
    var random = SeededRandom.forTest()
    for _ in 0..<30 {
      let image = try NormTests.image("bert", &random)
      let (gain, bias) = (image.gain("embed_norm"), image.bias("embed_norm.bias"))
      let g = gain.values.map { Int128($0) }
      let b = bias.values.map { Int128($0) }
      for limit in [1, 1 << 20, Residual.limit] {
        var x = Residual((0..<g.count).map { _ in random.spread(limit) })
        // All equal, and all but one.
        if Bool.random(using: &random) { x = Residual(Array(repeating: limit, count: g.count)) }
        if Bool.random(using: &random) { x.x[0] = -limit }
        for (epsilon, bigF) in [(1, 8), ((1 << 53) - 1, 30), (1 << 26, 20)] {
          #expect(
            Op.layerNorm(x, gain, bias, epsilon: epsilon, fractionBits: bigF)
              == Literal.layerNorm(x, g, gain.exponent, b, bias.exponent, Int128(epsilon), bigF))
        }
      }
    }
  }

  @Test func scaledEmbedding() throws {
    var random = SeededRandom.forTest()
    for _ in 0..<20 {
      let image = try NormTests.image("bert", &random)
      let table = image.table16("embed_positions")
      for scale in [nil, 1, 8 << 14, (1 << 22) - 1] {
        let v = Int.random(in: 0..<table.rows, using: &random)
        let row = (0..<table.columns).map { Int128(table.values[v * table.columns + $0]) }
        #expect(
          Op.embed(v, table, scale: scale, fractionBits: 20)
            == Literal.embed(row, Int128(table.multipliers[v]), table.exponent, scale, 20))
      }
    }
  }
}
