package import Digests

/// φ_i = floor(2^64 · θ^(-2i/r) / 2π): the turn per position in units of 2^-64 turns.
///
/// Source: docs/spec/model.md, "Conversion from floating point".
package enum RopeFrequencies {
  /// - Parameters:
  ///   - theta: decimal text; 1 ≤ θ ≤ 10^15 with at most 18 significant digits.
  ///   - width: r, elements of a head that rotate; even, 2…256.
  package static func values(theta: JSONNumber, width: Int) throws(ImportRejection) -> [UInt64] {
    // The answer is e · 2/π · 2^(62 - (n + 1)).
    try turns(theta: theta, width: width).map { UInt64($0.product >> (59 + $0.n)) }
  }

  /// The same as the nearest binary64 numbers of turns per position.
  package static func turns(theta: JSONNumber, width: Int) throws(ImportRejection) -> [Double] {
    try turns(theta: theta, width: width).map { turn in
      Double(sign: .plus, exponent: -(123 + Int(turn.n)), significand: FixedPoint.nearest(turn.product))
    }
  }

  /// θ^(-2i/r) / 2π = product · 2^-(123 + n), rounded down, for i < r/2.
  private static func turns(
    theta: JSONNumber, width: Int
  ) throws(ImportRejection) -> [(product: UInt128, n: UInt128)] {
    precondition(width % 2 == 0 && (2...256).contains(width))
    guard let (numerator, denominator) = FixedPoint.fraction(theta), numerator >= denominator,
      numerator <= denominator * 1_000_000_000_000_000
    else {
      throw .unsupportedValue(
        file: "config.json", key: "rope_theta", found: theta.text, supported: "1 to 1e15 with at most 18 digits")
    }
    let logarithm = FixedPoint.logarithm(numerator, denominator)
    return (0..<(width / 2)).map { i in
      // exp(-y) = 2^-(n + 1) · e with 1 ≤ e ≤ 2.
      let y = logarithm.scaled(by: UInt128(2 * i), over: UInt128(width))
      let n = y.units / FixedPoint.ln2.units
      let e = FixedPoint.exponential(FixedPoint.ln2 * (n + 1) - y)
      // e · 2/π · 2^248 = high · 2^128.
      return (e.units.multipliedFullWidth(by: twoOverPi).high, n)
    }
  }

  /// floor(2^128 · 2/π).
  private static let twoOverPi = UInt128(0xA2F9_836E_4E44_1529) << 64 | UInt128(0xFC27_57D1_F534_DDC0)
}
