extension ReferenceOperators {
  /// 4.13 quantise(residual) → act16.
  ///
  /// - Parameter fractionBits: F.
  package static func quantise(_ x: Residual, fractionBits: Int) -> Act16 {
    let (q, k) = Rounding.quantised(x.x, limit: 32767)
    return Act16(q, exponent: k - fractionBits)
  }
}
