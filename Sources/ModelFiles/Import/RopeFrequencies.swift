package import Digests

/// φ_i = floor(2^64 · θ^(-2i/hd) / 2π): the turn per position in units of 2^-64 turns.
///
/// Source: docs/spec/model.md, "Conversion from floating point".
package enum RopeFrequencies {
  /// - Parameters:
  ///   - theta: decimal text; 1 ≤ θ ≤ 10^15 with at most 18 significant digits.
  ///   - headDimension: even, 2…256.
  package static func values(theta: JSONNumber, headDimension: Int) throws(ImportRejection) -> [UInt64] {
    precondition(headDimension % 2 == 0 && (2...256).contains(headDimension))
    let (numerator, denominator) = try fraction(theta)
    let logarithm = FixedPoint.logarithm(numerator, denominator)
    return (0..<(headDimension / 2)).map { i in
      frequency(exponent: logarithm.scaled(by: UInt128(2 * i), over: UInt128(headDimension)))
    }
  }

  /// floor(2^64 · exp(-y) / 2π) for y < 177.
  private static func frequency(exponent y: FixedPoint) -> UInt64 {
    // exp(-y) = 2^-(n + 1) · e with 1 ≤ e ≤ 2.
    let n = y.units / FixedPoint.ln2.units
    let e = FixedPoint.exponential(FixedPoint.ln2 * (n + 1) - y)
    let product = e.units.multipliedFullWidth(by: twoOverPi)
    // e · 2/π · 2^248 = high · 2^128; the answer is e · 2/π · 2^(62 - (n + 1)).
    return UInt64(product.high >> (59 + n))
  }

  /// floor(2^128 · 2/π).
  private static let twoOverPi = UInt128(0xA2F9_836E_4E44_1529) << 64 | UInt128(0xFC27_57D1_F534_DDC0)

  /// θ exactly, as a quotient of integers below 2^120.
  private static func fraction(_ theta: JSONNumber) throws(ImportRejection) -> (UInt128, UInt128) {
    let refused = ImportRejection.unsupportedValue(
      file: "config.json", key: "rope_theta", found: theta.text, supported: "1 to 1e15 with at most 18 digits")
    // The smallest power of ten that makes θ an integer.
    for power in 0...18 {
      guard let integer = theta.scaled(byPowerOfTen: power, rounding: false) else { continue }
      let denominator = (0..<power).reduce(UInt128(1)) { product, _ in product * 10 }
      guard integer > 0, UInt128(integer) >= denominator, UInt128(integer) <= denominator * 1_000_000_000_000_000 else {
        throw refused
      }
      return (UInt128(integer), denominator)
    }
    throw refused
  }
}
