extension ReferenceOperators {
  /// 4.11 normHeads(act32, heads, gain) → act32: each head scaled by itself.
  ///
  /// - Parameters:
  ///   - epsilon: ε for the width of a head.
  ///   - fractionBits: F.
  package static func normHeads(_ x: Act32, heads: Int, _ gain: Gain, epsilon: Int, fractionBits: Int) -> Act32 {
    let width = x.t.count / heads
    var t: [Int32] = []
    t.reserveCapacity(x.t.count)
    for head in 0..<heads {
      let n = scaledToLength(x.t[(head * width)..<((head + 1) * width)].map { Int($0) }) { k1 in
        inUnits(epsilon, exponent: -2 * (x.exponent + k1 + fractionBits))
      }
      t += zip(n, gain.values).map { n, g in
        Int32(Rounding.clamped(Rounding.shiftedRight(n * Int(g), by: 17), to: (1 << 30) - 1))
      }
    }
    return Act32(t, exponent: -7 - gain.exponent)
  }

  /// min(floor(ε · 2^exponent), 2^62 - 1).
  private static func inUnits(_ epsilon: Int, exponent: Int) -> Int {
    if exponent < 0 { return exponent <= -64 ? 0 : epsilon >> -exponent }
    return Rounding.scaled(epsilon, byPowerOfTwo: exponent, limit: (1 << 62) - 1)
  }
}
