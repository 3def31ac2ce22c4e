import ModelGraph
import Testing

@Suite struct RoundingTests {
  static let extremes: [Int] = [
    0, 1, -1, 2, -2, 3, -3, 32767, -32768, 1 << 30, -(1 << 30), .max, .min, .max - 1, .min + 1,
  ]
  static let shifts: [Int] = Array(0...66) + [100, 1000, .max]

  @Test func roundsHalfUp() {
    #expect(Rounding.shiftedRight(-3, by: 1) == -1)
    #expect(Rounding.shiftedRight(3, by: 1) == 2)
    #expect(Rounding.divided(-3, by: 2) == -1)
    #expect(Rounding.divided(3, by: 2) == 2)
  }

  @Test func shiftsLikeTheFormula() {
    var random = SeededRandom.forTest()
    for x in RoundingTests.extremes + (0..<500).map({ _ in random.spread(.max) }) {
      for s in RoundingTests.shifts {
        #expect(Int128(Rounding.shiftedRight(x, by: s)) == Literal.rs(Int128(x), min(s, 111)), "RS(\(x), \(s))")
      }
    }
  }

  @Test func scalesLikeTheFormula() {
    var random = SeededRandom.forTest()
    let exponents = RoundingTests.shifts + RoundingTests.shifts.map { -$0 } + [.min]
    for x in RoundingTests.extremes + (0..<200).map({ _ in random.spread(.max) }) {
      for n in exponents {
        for limit in [1, 65535, (1 << 30) - 1, Residual.limit, 1 << 62] {
          let wanted = Literal.clamp(Literal.sh(Int128(x), max(-111, min(n, 200))), -Int128(limit), Int128(limit))
          #expect(Int128(Rounding.scaled(x, byPowerOfTwo: n, limit: limit)) == wanted, "SH(\(x), \(n)) within \(limit)")
        }
      }
    }
  }

  @Test func dividesLikeTheFormula() {
    var random = SeededRandom.forTest()
    for a in RoundingTests.extremes + (0..<500).map({ _ in random.spread(.max) }) {
      for b in [1, 2, 3, 7, 1_000_000, 10_000_000, .max] {
        let wanted = Literal.floorDivide(2 * Int128(a) + Int128(b), 2 * Int128(b))
        #expect(Int128(Rounding.divided(a, by: b)) == wanted, "DIV(\(a), \(b))")
      }
    }
  }

  @Test func quantisesToTheSmallestShift() {
    var random = SeededRandom.forTest()
    #expect(Rounding.quantised([0, 0], limit: 4095).shift == 0)
    // Rounding up at the top needs one more shift than the bit length says.
    #expect(Rounding.quantised([65535], limit: 32767).shift == 2)
    #expect(Rounding.quantised([65533, -65534], limit: 32767).shift == 1 + 0)
    for _ in 0..<2000 {
      let v = (0..<Int.random(in: 1...8, using: &random)).map { _ in random.spread(1 << 61) }
      let limit = [2047, 4095, 32767].randomElement(using: &random)!
      let (q, k) = Rounding.quantised(v, limit: limit)
      let wanted = Literal.quantise(v.map { Int128($0) }, Int128(limit))
      #expect(k == wanted.1 && q.map { Int128($0) } == wanted.0)
    }
  }
}
