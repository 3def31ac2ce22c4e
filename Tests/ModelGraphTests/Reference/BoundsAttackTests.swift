import ModelGraph
import Testing

/// Models that fill every bound of section 9. Arithmetic traps when it leaves its type, so a run that
/// ends shows the bound; the inner loops that cannot trap are compared with 128-bit arithmetic.
@Suite struct BoundsAttackTests {
  static let thin: [ModelConfiguration] = [
    // 65535 inputs of one linear, and the widest products of heads.
    RandomModel.configuration(
      hidden: 2, layers: 2, heads: 1, headDimension: 2, intermediate: 65535, vocabulary: 2, epsilon: 1),
    RandomModel.configuration(
      hidden: 3, layers: 1, heads: 255, keyValueHeads: 255, headDimension: 256, intermediate: 2, vocabulary: 2,
      epsilon: 1),
    // The widest residual.
    RandomModel.configuration(
      hidden: 16384, layers: 1, heads: 1, headDimension: 2, intermediate: 2, vocabulary: 2, epsilon: (1 << 53) - 1,
      tied: true),
  ]

  @Test(arguments: thin, [8, 30])
  func extremesStayWithinTheirTypes(shape: ModelConfiguration, fractionBits: Int) throws {
    var random = SeededRandom.forTest()
    for exponent in [-256, -20, 20, 40, 256] {
      for sameSign in [true, false] {
        var config = shape
        config.residualFractionBits = fractionBits
        let image = try RandomModel(config: config, content: .extreme(sameSign: sameSign, exponent: exponent))
          .image(&random)
        let interpreter = ReferenceInterpreter(image: image)
        var state = interpreter.makeState()
        let logits = try interpreter.evaluate([0, 1, 1], state: &state, logits: .all)
        for l in logits { for t in l.values { #expect(abs(Int(t)) < 1 << 30) } }
      }
    }
  }

  @Test func theWidestLinearIsExact() throws {
    var random = SeededRandom.forTest()
    for sameSign in [true, false] {
      let config = RandomModel.configuration(
        hidden: 2, layers: 1, heads: 1, headDimension: 2, intermediate: 65535, vocabulary: 2)
      let image = try RandomModel(config: config, content: .extreme(sameSign: sameSign, exponent: 40)).image(&random)
      let w = image.linear("layers.0.down_proj")
      let literal = LiteralWeight(w)
      for q: [Int16] in [
        Array(repeating: 32767, count: 65535), Array(repeating: -32767, count: 65535),
        (0..<65535).map { _ in Bool.random(using: &random) ? 32767 : -32767 },
        literal.w[0].map { $0 < 0 ? -32767 : 32767 },
      ] {
        let x = Act16(q, exponent: -15)
        let wanted = literal.product(x)
        #expect(ReferenceOperators.linear([x], w) == [wanted])
        #expect(wanted.t.allSatisfy { abs(Int($0)) <= (1 << 30) - 1 })
      }
    }
  }

  @Test func theWidestNormIsExact() throws {
    var random = SeededRandom.forTest()
    let config = RandomModel.configuration(
      hidden: 16384, layers: 1, heads: 1, headDimension: 2, intermediate: 1, vocabulary: 1)
    let image = try RandomModel(config: config, content: .extreme(sameSign: false, exponent: 3)).image(&random)
    let gain = image.gain("norm")
    let g = gain.values.map { Int128($0) }
    let full = Residual(Array(repeating: Residual.limit, count: 16384))
    var one = Residual(Array(repeating: 0, count: 16384))
    one.x[77] = -Residual.limit
    let zero = Residual(Array(repeating: 0, count: 16384))
    let powers = Residual((0..<16384).map { _ in Bool.random(using: &random) ? (1 << 24) - 1 : -(1 << 24) + 1 })
    for x in [full, one, zero, powers, Residual((0..<16384).map { _ in random.spread(Residual.limit) })] {
      for epsilon in [1, (1 << 53) - 1] {
        #expect(
          ReferenceOperators.rmsNorm(x, gain, epsilon: epsilon)
            == Literal.rmsNorm(x, g, gain.exponent, Int128(epsilon)))
      }
    }
  }

  @Test func rotationKeepsTheLargestValuesWithinInt32() {
    let m = (1 << 30) - 1
    // Every angle of the table, with the four sign patterns.
    for index in 0..<65536 {
      for (a, b) in [(m, m), (m, -m), (-m, m), (-m, -m)] {
        let out = ReferenceOperators.rope(
          Act32([Int32(a), Int32(b)], exponent: 0), heads: 1, position: 1, frequencies: [UInt64(index) << 48])
        #expect(out.t.allSatisfy { abs(Int($0)) <= 1_518_600_000 })
      }
    }
  }

  @Test func theLargestScoresFitInt32() {
    for hd in stride(from: 2, through: 256, by: 2) {
      let limit = HeadLimit.query(headDimension: hd)
      #expect(limit * 4095 * hd < 1 << 31)
      #expect(limit == 4095 || (2 * limit + 1) * 4095 * hd >= 1 << 31)
      let q = Heads16(Array(repeating: Int16(-limit), count: hd), exponents: [0])
      let k = Heads16(Array(repeating: 4095, count: hd), exponents: [0])
      var cache = KeyValueCache()
      cache.append(keys: k, values: k)
      cache.append(keys: Heads16(k.q.map { -$0 }, exponents: [1]), values: Heads16(k.q.map { -$0 }, exponents: [-300]))
      #expect(
        ReferenceOperators.attention(q, cache, visible: 0..<2, keyValueHeads: 1, softcap: nil)
          == Literal.attention(
            q, [k, Heads16(k.q.map { -$0 }, exponents: [1])], [k, Heads16(k.q.map { -$0 }, exponents: [-300])], [0, 1]))
    }
  }

  @Test(arguments: [TensorEntry.Kind.linear4, .linear4m, .linear16])
  func theWidestLinearWithTwoShiftsIsExact(kind: TensorEntry.Kind) throws {
    var random = SeededRandom.forTest()
    let columns = 65504
    for sameSign in [true, false] {
      let config = RandomModel.configuration(
        hidden: 2, layers: 1, heads: 1, headDimension: 2, intermediate: columns, vocabulary: 2)
      let content = RandomModel.Content.extreme(sameSign: sameSign, exponent: 40)
      let image = try RandomModel(config: config, content: content, formats: [kind]).image(&random)
      let w = image.linear("layers.0.down_proj")
      let literal = LiteralWeight(w)
      #expect(literal.largest! == (kind == .linear16 ? 1 : kind == .linear4 ? 8 * 2047 : 31 * 2047) << 15)
      for q: [Int16] in [
        Array(repeating: 32767, count: columns), Array(repeating: -32767, count: columns),
        literal.w[0].map { $0 < 0 ? -32767 : 32767 },
      ] {
        let x = Act16(q, exponent: -15)
        let wanted = literal.product(x)
        #expect(ReferenceOperators.linear([x], w) == [wanted])
        #expect(wanted.t.allSatisfy { abs(Int($0)) <= (1 << 30) - 1 })
      }
    }
  }

  /// Every architecture with the largest numbers everywhere, in every format.
  @Test(arguments: Architectures.all.keys.sorted(), [[TensorEntry.Kind.linear8], [.linear4], [.linear4m], [.linear16]])
  func everyArchitectureStaysWithinItsTypes(architecture: String, formats: [TensorEntry.Kind]) throws {
    var random = SeededRandom.forTest()
    for exponent in [-256, 20, 40, 256] {
      for fractionBits in [8, 30] {
        var config = RandomModel.configuration(of: architecture, &random)
        config.residualFractionBits = fractionBits
        if config.embeddingScale != nil { config.embeddingScale = (1 << 22) - 1 }
        if config.attentionSoftcap != nil { config.attentionSoftcap = (1 << 29) - 1 }
        if config.logitsSoftcap != nil { config.logitsSoftcap = 1 << 12 }
        if config.headNormEpsilon != nil { config.headNormEpsilon = (1 << 53) - 1 }
        let content = RandomModel.Content.extreme(sameSign: Bool.random(using: &random), exponent: exponent)
        let image = try RandomModel(architecture: architecture, config: config, content: content, formats: formats)
          .image(&random)
        let interpreter = ReferenceInterpreter(image: image)
        if config.isEncoder {
          #expect(try interpreter.encode([0, 1, 1]).count == 3)
        } else {
          var state = interpreter.makeState()
          let logits = try interpreter.evaluate([0, 1, 1], state: &state, logits: .all)
          for l in logits { for t in l.values { #expect(abs(Int(t)) < 1 << 30) } }
        }
      }
    }
  }
}
