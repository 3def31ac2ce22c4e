extension ReferenceOperators {
  /// 4.12 layerNorm(residual x, gain, bias) → residual.
  package static func layerNorm(
    _ x: Residual, _ gain: Gain, _ bias: Bias, epsilon: Int, fractionBits: Int
  ) -> Residual {
    // |x_c| < 2^46 and there are at most 2^14, so the sum stays below 2^60.
    let mean = Rounding.divided(x.x.reduce(0, +), by: x.x.count)
    let n = scaledToLength(x.x.map { $0 - mean }) { k1 in epsilon >> (2 * k1) }
    return Residual(
      n.indices.map { c in
        let scaled = Rounding.scaled(
          n[c] * Int(gain.values[c]), byPowerOfTwo: fractionBits - 24 - gain.exponent, limit: 1 << 48)
        let shifted = Rounding.scaled(
          Int(bias.values[c]), byPowerOfTwo: fractionBits - bias.exponent, limit: 1 << 48)
        return Rounding.clamped(scaled + shifted, to: Residual.limit)
      })
  }
}
