/// The three roundings that every operator is made of, and quantisation.
///
/// None of these overflows or traps, whatever the shift.
///
/// Source: docs/spec/arithmetic.md, sections 1 and 2.
public enum Rounding {
  /// RS(x, s) = floor((x + 2^(s-1)) / 2^s), x for s = 0: round half up.
  ///
  /// - Parameter s: at least 0, and of any size: from 64 on the result is 0.
  @inlinable
  public static func shiftedRight(_ x: Int, by s: Int) -> Int {
    if s <= 0 {
      precondition(s == 0, "RS is defined for s ≥ 0")
      return x
    }
    if s >= 64 { return 0 }
    // floor(x / 2^s), and one more when the first bit behind the point is set.
    return (x &>> s) &+ ((x &>> (s &- 1)) & 1)
  }

  /// clamp(SH(x, n), -limit, limit), SH(x, n) = x · 2^n for n ≥ 0 and RS(x, -n) for n < 0.
  ///
  /// Every use of SH in the specification is followed by a clamp or has a bound that `limit` states.
  @inlinable
  public static func scaled(_ x: Int, byPowerOfTwo n: Int, limit: Int) -> Int {
    if n < 0 { return clamped(shiftedRight(x, by: n <= -64 ? 64 : -n), to: limit) }
    if x == 0 { return 0 }
    if n >= 63 || x.magnitude > limit.magnitude &>> UInt(n) { return x > 0 ? limit : -limit }
    return x &<< n
  }

  /// The same of a wider number, |x| < 2^126.
  static func scaled(_ x: Int128, byPowerOfTwo n: Int, limit: Int) -> Int {
    let wide = Int128(limit)
    if n < 0 {
      let s = min(-n, 127)
      return Int(max(-wide, min(wide, (x &>> Int128(s)) + ((x &>> Int128(s - 1)) & 1))))
    }
    if x == 0 { return 0 }
    if n >= 63 || x.magnitude > wide.magnitude &>> UInt128(n) { return x > 0 ? limit : -limit }
    return Int(x &<< Int128(n))
  }

  /// DIV(a, b) = floor((2a + b) / (2b)) for b > 0: round half up.
  @inlinable
  public static func divided(_ a: Int, by b: Int) -> Int {
    precondition(b > 0, "DIV is defined for b > 0")
    var (quotient, remainder) = a.quotientAndRemainder(dividingBy: b)
    if remainder < 0 {
      quotient -= 1
      remainder += b
    }
    return remainder >= b - remainder ? quotient + 1 : quotient
  }

  @inlinable
  public static func clamped(_ x: Int, to limit: Int) -> Int { max(-limit, min(limit, x)) }

  /// 0 for 0, otherwise the k with 2^(k-1) ≤ x < 2^k.
  @inlinable
  public static func bitLength(_ x: Int) -> Int {
    precondition(x >= 0, "bitlen is defined for x ≥ 0")
    return Int.bitWidth - x.leadingZeroBitCount
  }

  /// The k of Q(v, limit): the smallest k ≥ 0 with RS(m, k) ≤ limit.
  ///
  /// - Parameter m: the largest magnitude of v.
  @inlinable
  public static func quantisingShift(largest m: Int, limit: Int) -> Int {
    var k = max(0, bitLength(m) - bitLength(limit))
    while shiftedRight(m, by: k) > limit { k += 1 }
    return k
  }

  /// Q(v, limit): mantissas RS(v_c, k) and k.
  public static func quantised(_ v: some Sequence<Int>, limit: Int) -> (mantissas: [Int16], shift: Int) {
    var largest = 0
    for x in v { largest = max(largest, abs(x)) }
    let k = quantisingShift(largest: largest, limit: limit)
    return (v.map { Int16(shiftedRight($0, by: k)) }, k)
  }
}
