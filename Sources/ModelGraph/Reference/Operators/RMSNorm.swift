extension ReferenceOperators {
  /// 4.2 rmsNorm(residual x, gain g) → act16.
  package static func rmsNorm(_ x: Residual, _ gain: Gain, epsilon: Int) -> Act16 {
    var largest = 0
    for c in x.x { largest = max(largest, abs(c)) }
    let k1 = max(0, Rounding.bitLength(largest) - 24)
    let u = x.x.map { Rounding.shiftedRight($0, by: k1) }
    // |u_c| ≤ 2^24 and d ≤ 2^14, so the sum of squares is at most 2^62; ε < 2^53 keeps S below 2^63.
    var sum = epsilon >> (2 * k1)
    for c in u { sum += c * c }
    let a = (Rounding.bitLength(sum) + 1) / 2
    let r = inverseSquareRoot(sum, a: a)
    let v = zip(u, gain.values).map { u, g in
      Rounding.scaled(u * r, byPowerOfTwo: 9 - a, limit: 1 << 24) * Int(g)
    }
    let (q, k) = Rounding.quantised(v, limit: 32767)
    return Act16(q, exponent: k - 24 - gain.exponent)
  }

  /// The unique r with r² · S ≤ 2^(2a + 30) < (r + 1)² · S.
  ///
  /// - Parameter sum: S with 2^(2a - 2) ≤ S < 2^(2a), so that 2^15 ≤ r ≤ 2^16.
  package static func inverseSquareRoot(_ sum: Int, a: Int) -> Int {
    let target = UInt128(1) << UInt128(2 * a + 30)
    var r = 1 << 15
    // 2^15 is a solution of the left inequality; every lower bit is tried once, the bit 2^16 apart.
    if UInt128(1 << 32) * UInt128(sum) <= target { return 1 << 16 }
    for bit in stride(from: 14, through: 0, by: -1) {
      let candidate = r | (1 << bit)
      if UInt128(candidate * candidate) * UInt128(sum) <= target { r = candidate }
    }
    return r
  }
}
