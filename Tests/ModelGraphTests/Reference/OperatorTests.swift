import ModelGraph
import Testing

/// Every operator against the literal transcription of its formula, on random and extreme data.
@Suite struct OperatorTests {
  typealias Op = ReferenceOperators

  func heads(_ n: Int, _ hd: Int, _ limit: Int, _ random: inout SeededRandom) -> Heads16 {
    Heads16(
      (0..<(n * hd)).map { _ in Int16(random.spread(limit)) }, exponents: (0..<n).map { _ in random.spread(40) })
  }

  func act32(_ n: Int, _ limit: Int, _ random: inout SeededRandom) -> Act32 {
    Act32((0..<n).map { _ in Int32(random.spread(limit)) }, exponent: random.spread(60))
  }

  @Test func inverseSquareRootIsTheUniqueOne() {
    var random = SeededRandom.forTest()
    for _ in 0..<5000 {
      let s = max(1, abs(random.spread(.max)))
      let a = (Rounding.bitLength(s) + 1) / 2
      let r = UInt128(Op.inverseSquareRoot(s, a: a))
      let target = UInt128(1) << UInt128(2 * a + 30)
      #expect(r * r * UInt128(s) <= target && target < (r + 1) * (r + 1) * UInt128(s))
    }
    for power in 0...62 {
      let s = 1 << power
      let a = (Rounding.bitLength(s) + 1) / 2
      let r = UInt128(Op.inverseSquareRoot(s, a: a))
      #expect(r * r * UInt128(s) <= UInt128(1) << UInt128(2 * a + 30))
      #expect((r + 1) * (r + 1) * UInt128(s) > UInt128(1) << UInt128(2 * a + 30))
    }
  }

  @Test func rope() {
    var random = SeededRandom.forTest()
    for _ in 0..<200 {
      let hd = [2, 6, 34, 64].randomElement(using: &random)!
      // Some heads turn only in part.
      let phi = (0..<Int.random(in: 0...(hd / 2), using: &random)).map { _ in random.next() }
      let x = act32(3 * hd, (1 << 30) - 1, &random)
      let p = [0, 1, 1000, (1 << 20) - 1].randomElement(using: &random)!
      #expect(Op.rope(x, heads: 3, position: p, frequencies: phi) == Literal.rope(x, hd, p, phi))
    }
  }

  @Test func quantiseHeads() {
    var random = SeededRandom.forTest()
    for _ in 0..<200 {
      let x = act32(4 * 10, Int(Int32.max), &random)
      for limit in [2047, 4095] {
        #expect(Op.quantiseHeads(x, heads: 4, limit: limit) == Literal.quantiseHeads(x, 10, limit))
      }
    }
  }

  @Test(arguments: [nil, 1, 3, 100], [nil, 1 << 12, 295_451, (1 << 29) - 1])
  func attention(window: Int?, softcap: Int?) {
    var random = SeededRandom.forTest()
    for _ in 0..<30 {
      let hd = [2, 34, 64, 128, 256].randomElement(using: &random)!
      let (n, kv) = [(1, 1), (4, 1), (6, 2), (3, 3)].randomElement(using: &random)!
      let length = Int.random(in: 1...9, using: &random)
      let keys = (0..<length).map { _ in heads(kv, hd, 4095, &random) }
      let values = (0..<length).map { _ in heads(kv, hd, 4095, &random) }
      let q = heads(n, hd, HeadLimit.query(headDimension: hd), &random)
      var cache = KeyValueCache()
      for (k, v) in zip(keys, values) { cache.append(keys: k, values: v) }
      let position = Int.random(in: 0..<length, using: &random)
      for causal in [true, false] {
        let a = Attention(
          cache: 0, heads: n, keyValueHeads: kv, window: window, softcap: softcap, causal: causal)
        let visible = causal ? Array(max(0, position - (window ?? length) + 1)...position) : Array(0..<length)
        #expect(Array(a.visible(from: position, count: length)) == visible)
        #expect(
          Op.attention(
            q, cache, visible: a.visible(from: position, count: length), keyValueHeads: kv, softcap: softcap)
            == Literal.attention(q, keys, values, visible, softcap))
      }
    }
  }

  @Test func mergeHeads() {
    var random = SeededRandom.forTest()
    for _ in 0..<300 {
      let x = Heads32(
        (0..<24).map { _ in Int32(random.spread(1 << 29)) }, exponents: (0..<4).map { _ in random.spread(100) })
      #expect(Op.mergeHeads(x) == Literal.mergeHeads(x))
    }
  }

  @Test(arguments: Activation.allCases) func gated(activation: Activation) {
    var random = SeededRandom.forTest()
    for _ in 0..<300 {
      var (g, u) = (act32(20, (1 << 30) - 1, &random), act32(20, (1 << 30) - 1, &random))
      if Bool.random(using: &random) { g.exponent = -Int.random(in: 10...35, using: &random) }
      u.exponent = random.spread(400)
      #expect(Op.gated(g, u, activation) == Literal.gated(g, u, activation))
      #expect(Op.activate(g, activation) == Literal.activate(g, activation))
    }
  }

  @Test func add() {
    var random = SeededRandom.forTest()
    for _ in 0..<500 {
      let x = Residual((0..<20).map { _ in random.spread(Residual.limit) })
      let t = act32(20, (1 << 30) - 1, &random)
      for bigF in [8, 20, 30] { #expect(Op.add(x, t, fractionBits: bigF) == Literal.add(x, t, bigF)) }
      let z = Residual((0..<20).map { _ in random.spread(Residual.limit) })
      #expect(Op.addResiduals(x, z) == Literal.addResiduals(x, z))
      #expect(Op.quantise(x, fractionBits: 20) == Literal.quantise(x, 20))
    }
  }

  /// Section 9 at the longest context: 2^20 equal scores with the largest values.
  @Test func attentionOverTheLongestContext() {
    var cache = KeyValueCache()
    let one = Heads16([4095, -4095], exponents: [3])
    for _ in 0..<(1 << 20) { cache.append(keys: one, values: one) }
    let out = Op.attention(one, cache, visible: 0..<(1 << 20), keyValueHeads: 1, softcap: nil)
    // S = 2^44, so h = 45 and R = 2^16: the mean is exact, in units of 2^-16.
    #expect(out == Heads32([4095 << 16, -4095 << 16], exponents: [3 - 16]))
  }

  @Test func softcap() {
    var random = SeededRandom.forTest()
    for c in [1 << 12, 4097, 295_451, 30 << 16, (1 << 29) - 1] {
      for _ in 0..<100 {
        let x = act32(20, Int(Int32.max), &random)
        let out = Op.softcap(x, cap: c)
        #expect(out == Literal.softcap(x, c))
        #expect(out.t.allSatisfy { abs(Int($0)) <= c })
      }
      for x in [0, 1, c / 2, c, 8 * c - 1, 8 * c, (1 << 30) - 1] where x < 1 << 30 {
        #expect(Int128(Op.capped(x, c)) == Literal.cap(Int128(x), Int128(c)))
        #expect(Op.capped(-x, c) == -Op.capped(x, c))
      }
    }
  }

  @Test func route() {
    var random = SeededRandom.forTest()
    for _ in 0..<300 {
      let experts = [1, 2, 7, 64, 1024].randomElement(using: &random)!
      let slots = Int.random(in: 1...min(64, experts), using: &random)
      var x = act32(experts, (1 << 30) - 1, &random)
      // Scores of ordinary size, and equal ones.
      if Bool.random(using: &random) { x.exponent = -28 }
      if Bool.random(using: &random) { x.t = x.t.map { $0 / (1 << 28) * (1 << 28) } }
      for sharesOfAll in [false, true] {
        let routes = Op.route(x, slots: slots, sharesOfAll: sharesOfAll)
        #expect(routes == Literal.route(x, slots, normalised: !sharesOfAll))
        let sum = routes.shares.reduce(0) { $0 + Int($1) }
        #expect(abs(sum - (1 << 24)) <= slots / 2 || sharesOfAll && sum < 1 << 24)
      }
    }
  }
}
