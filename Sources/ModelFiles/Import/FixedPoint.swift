import Digests

/// A real number in 0 ≤ x < 256 as a multiple of 2^-120.
///
/// For the frequencies of rotary embeddings, which two importers must compute alike to the last bit:
/// the platform's `log` and `exp` differ in their last bits, these do not.
struct FixedPoint: Equatable, Comparable {
  var units: UInt128

  static let one = FixedPoint(units: 1 << 120)

  static func < (a: FixedPoint, b: FixedPoint) -> Bool { a.units < b.units }
  static func + (a: FixedPoint, b: FixedPoint) -> FixedPoint { FixedPoint(units: a.units + b.units) }
  static func - (a: FixedPoint, b: FixedPoint) -> FixedPoint { FixedPoint(units: a.units - b.units) }
  static func / (a: FixedPoint, n: UInt128) -> FixedPoint { FixedPoint(units: a.units / n) }
  static func * (a: FixedPoint, n: UInt128) -> FixedPoint { FixedPoint(units: a.units * n) }

  /// x · numerator / denominator, rounded down; only the result must be below 256.
  func scaled(by numerator: UInt128, over denominator: UInt128) -> FixedPoint {
    FixedPoint(units: denominator.dividingFullWidth(units.multipliedFullWidth(by: numerator)).quotient)
  }

  /// The product, rounded down.
  static func * (a: FixedPoint, b: FixedPoint) -> FixedPoint {
    let product = a.units.multipliedFullWidth(by: b.units)
    return FixedPoint(units: product.high << 8 | product.low >> 120)
  }

  /// numerator / denominator, rounded down; the quotient must be below 256.
  static func ratio(_ numerator: UInt128, _ denominator: UInt128) -> FixedPoint {
    // numerator · 2^120 in two words.
    let dividend = (high: numerator >> 8, low: numerator << 120)
    return FixedPoint(units: denominator.dividingFullWidth(dividend).quotient)
  }

  /// ln((1 + z) / (1 - z)) for z ≤ 1/3, by the series 2 Σ z^(2k+1) / (2k+1).
  private static func logarithmOfQuotient(_ z: FixedPoint) -> FixedPoint {
    let square = z * z
    var power = z
    var sum = z
    var k: UInt128 = 1
    while power.units > 0 {
      power = power * square
      k += 2
      sum = sum + power / k
    }
    return sum * 2
  }

  static let ln2 = logarithmOfQuotient(ratio(1, 3))

  /// The natural logarithm of numerator / denominator, which lies in 1 ≤ q < 2^64.
  ///
  /// Error: below 2^-108.
  static func logarithm(_ numerator: UInt128, _ denominator: UInt128) -> FixedPoint {
    var exponent: UInt128 = 0
    var scaled = denominator
    while numerator / 2 >= scaled {
      scaled *= 2
      exponent += 1
    }
    // m = numerator / scaled lies in 1 ≤ m < 2.
    let z = ratio(numerator - scaled, numerator + scaled)
    return ln2 * exponent + logarithmOfQuotient(z)
  }

  /// exp(x) for 0 ≤ x ≤ 1, by its Taylor series, whose terms are all positive.
  static func exponential(_ x: FixedPoint) -> FixedPoint {
    var term = one
    var sum = one
    var k: UInt128 = 1
    while term.units > 0 {
      term = term * x / k
      sum = sum + term
      k += 1
    }
    return sum
  }

  /// The number as a quotient of integers below 2^120; nil when it is not positive or has over 18 digits.
  static func fraction(_ number: JSONNumber) -> (UInt128, UInt128)? {
    // The smallest power of ten that makes it an integer.
    for power in 0...18 {
      guard let integer = number.scaled(byPowerOfTen: power, rounding: false) else { continue }
      guard integer > 0 else { return nil }
      return (UInt128(integer), (0..<power).reduce(UInt128(1)) { product, _ in product * 10 })
    }
    return nil
  }

  /// The nearest binary64 number to an integer, ties to even.
  static func nearest(_ integer: UInt128) -> Double {
    let excess = max(0, 128 - integer.leadingZeroBitCount - 53)
    let (kept, rest) = (UInt64(integer >> excess), integer & ((UInt128(1) << excess) - 1))
    let half = excess > 0 ? UInt128(1) << (excess - 1) : 1
    let up = rest > half || (rest == half && excess > 0 && kept & 1 == 1)
    return Double(sign: .plus, exponent: excess, significand: Double(kept + (up ? 1 : 0)))
  }

  /// The nearest binary64 number.
  var double: Double { Double(sign: .plus, exponent: -120, significand: FixedPoint.nearest(units)) }
}
