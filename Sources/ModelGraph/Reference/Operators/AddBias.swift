extension ReferenceOperators {
  private static let limit = (1 << 30) - 1

  /// 4.10 addBias(act32, bias) → act32, in the coarser of the two units, the bias cut to at most 29 bits.
  package static func addBias(_ x: Act32, _ bias: Bias) -> Act32 {
    let exponent = max(x.exponent, -bias.exponent - 6)
    let t = zip(x.t, bias.values).map { t, b in
      // -f - g ≤ 6, so the bias stays below 2^29.
      let summand = Rounding.scaled(Int(b), byPowerOfTwo: -bias.exponent - exponent, limit: 1 << 29)
      return Int32(
        Rounding.clamped(Rounding.shiftedRight(Int(t), by: exponent - x.exponent) + summand, to: limit))
    }
    return Act32(t, exponent: exponent)
  }
}
