public import Digests

/// The constant tables of the arithmetic, made from integers alone.
///
/// Cosine and sigmoid entries are the nearest integers to real numbers. They are computed in fixed point
/// with an error bound, and every entry is checked to be farther from a tie than that bound, so the
/// nearest integer is certain.
///
/// Source: docs/spec/arithmetic.md, section 5.
public enum Tables {
  /// C[i] = 32768 · cos(2π i / 65536), nearest. Shape: 65536.
  public static let cosine: [Int32] = makeCosine()
  /// Σ16[i] = 32768 / (1 + exp(-i / 256)), nearest. Shape: 4097.
  public static let sigmoid: [Int32] = makeSigmoid()
  /// T(f), about 32768 · 2^(-f / 4096). Shape: 4096.
  public static let exponential: [Int32] = (0..<4096).map { makeExponential($0) }

  /// SHA-256 over the little-endian bytes of a table; section 10 lists them.
  public static func digest(of table: [Int32]) -> Digest<Tables> {
    Digest(of: table.flatMap { $0.littleEndianBytes })
  }

  // MARK: Cosine

  /// Fixed point with 60 fractional bits.
  private static let fraction: Int128 = 60
  /// floor(π · 2^60).
  private static let pi: Int128 = 0x3243_F6A8_885A_308D

  private static func makeCosine() -> [Int32] {
    var table = [Int32](repeating: 0, count: 65536)
    // The first eighth of the circle gives everything else by symmetry.
    for i in 0...8192 {
      // At most 2^-60 below the angle: π is cut by less than 2^-60, and the shift cuts the rest.
      let angle = (pi * Int128(i)) >> 15
      let cosine = nearest(series(angle, startingAt: 0))
      let sine = nearest(series(angle, startingAt: 1))
      for (turn, value) in [(i, cosine), (16384 - i, sine)] {
        table[turn] = value
        table[32768 - turn] = -value
        table[32768 + turn] = -value
        table[(65536 - turn) % 65536] = value
      }
    }
    return table
  }

  /// cos (start 0) or sin (start 1) of an angle below 1: Σ ± angle^k / k! over even or odd k.
  ///
  /// Each of the 12 terms is cut by less than 2 · 2^-60 (a product, a division) plus what its
  /// predecessor lost; the first missing term is below 1 / 24!. The angle's own error passes with factor
  /// at most 1. The sum is off by less than 2^-54.
  private static func series(_ angle: Int128, startingAt start: Int128) -> Int128 {
    let square = (angle * angle) >> fraction
    var term = start == 0 ? 1 << fraction : angle
    var sum: Int128 = 0
    for k in 0..<12 {
      sum += k % 2 == 0 ? term : -term
      let next = 2 * Int128(k) + start
      term = ((term * square) >> fraction) / ((next + 1) * (next + 2))
    }
    return sum
  }

  /// The nearest integer to 32768 · value; the error of `series` becomes 2^-39, the margin is 2^-30.
  private static func nearest(_ value: Int128) -> Int32 {
    let bits = fraction - 15
    let aboveTie = (value & ((1 << bits) - 1)) - (1 << (bits - 1))
    precondition(aboveTie.magnitude > 1 << UInt128(bits - 30), "an entry is too close to a tie")
    return Int32((value + (1 << (bits - 1))) >> bits)
  }

  // MARK: Sigmoid

  private static func makeSigmoid() -> [Int32] {
    powersOfE.map { power in
      // 32 fractional bits; an error of 2^-48 in the power is one of 2^-33 here, plus 2^-32 for the floor.
      let value = (1 << (62 + 15 + 32)) / (one + power)
      return nearest(value, fraction: 32, margin: 25)
    }
  }

  /// 1 with the fractional bits of ``powersOfE``.
  static let one: UInt128 = 1 << 62

  /// exp(-i / 256) with 62 fractional bits, i = 0…4096, off by less than 2^-48.
  static let powersOfE: [UInt128] = {
    // exp(-1 / 256): 10 terms cut by less than 2^-62 each; the rest is far smaller.
    var step: UInt128 = 0
    var term = one
    for k: UInt128 in 0..<10 {
      step = k % 2 == 0 ? step + term : step - term
      term = (term >> 8) / (k + 1)
    }
    // Each product is cut by 2^-62 and inherits the step's error of at most 2^-58 times the power, whose sum is
    // below 257.
    var power = one
    return (0...4096).map { _ in
      defer { power = (power * step) >> 62 }
      return power
    }
  }()

  /// The nearest integer to value · 2^-fraction, which must be farther than 2^-margin from a tie.
  static func nearest(_ value: UInt128, fraction: UInt128, margin: UInt128) -> Int32 {
    let half: Int128 = 1 << Int128(fraction - 1)
    let aboveTie = Int128(value & ((1 << fraction) - 1)) - half
    precondition(aboveTie.magnitude > 1 << (fraction - margin), "an entry is too close to a tie")
    return Int32((value + half.magnitude) >> fraction)
  }

  // MARK: Power of two

  private static func makeExponential(_ f: Int) -> Int32 {
    let x = 8 * f
    let h1 = 1748 - Rounding.shiftedRight(224 * x, by: 15)
    let h2 = 7853 - Rounding.shiftedRight(h1 * x, by: 15)
    let h3 = 22713 - Rounding.shiftedRight(h2 * x, by: 15)
    return Int32(32768 - Rounding.shiftedRight(h3 * x, by: 15))
  }
}
