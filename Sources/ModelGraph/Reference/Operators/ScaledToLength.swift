extension ReferenceOperators {
  /// 4.2, steps 1 to 4: the vector scaled to Euclidean length 2^24.
  ///
  /// - Parameters:
  ///   - x: at most 2^14 elements below 2^63.
  ///   - addend: what is added to the sum of squares, given the shift k1; at most 2^62 - 1.
  /// - Returns: n, each element at most 2^24 in magnitude; all 0 for a vector of zeros.
  static func scaledToLength(_ x: some Collection<Int>, addend: (_ k1: Int) -> Int) -> [Int] {
    var largest = 0
    for c in x { largest = max(largest, abs(c)) }
    let k1 = max(0, Rounding.bitLength(largest) - 24)
    let u = x.map { Rounding.shiftedRight($0, by: k1) }
    // |u_c| ≤ 2^24 and there are at most 2^14, so the sum of squares is at most 2^62.
    var sum = addend(k1)
    for c in u { sum += c * c }
    sum = max(1, sum)
    let a = (Rounding.bitLength(sum) + 1) / 2
    let r = inverseSquareRoot(sum, a: a)
    return u.map { Rounding.scaled($0 * r, byPowerOfTwo: 9 - a, limit: 1 << 24) }
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
