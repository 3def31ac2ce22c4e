extension ReferenceOperators {
  /// 4.2 rmsNorm(residual x, gain g) → act16.
  package static func rmsNorm(_ x: Residual, _ gain: Gain, epsilon: Int) -> Act16 {
    // ε < 2^53.
    let n = scaledToLength(x.x) { k1 in epsilon >> (2 * k1) }
    let (q, k) = Rounding.quantised(zip(n, gain.values).map { n, g in n * Int(g) }, limit: 32767)
    return Act16(q, exponent: k - 24 - gain.exponent)
  }
}
