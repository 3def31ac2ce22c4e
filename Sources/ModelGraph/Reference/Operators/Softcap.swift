extension ReferenceOperators {
  /// 4.16 softcap(act32, C) → act32 in units of 2^-16.
  package static func softcap(_ x: Act32, cap: Int) -> Act32 {
    Act32(
      x.t.map {
        Int32(capped(Rounding.scaled(Int($0), byPowerOfTwo: x.exponent + 16, limit: (1 << 30) - 1), cap))
      }, exponent: -16)
  }

  /// CAP(x, C), about C · tanh(x / C).
  ///
  /// - Parameters:
  ///   - x: below 2^30 in magnitude.
  ///   - cap: C with 2^12 ≤ C < 2^29.
  package static func capped(_ x: Int, _ cap: Int) -> Int {
    let table = Tables.tanh
    // |x| / C in units of 2^-16; floor(2^44 / C) ≤ 2^32, so the product stays below 2^62.
    let z = min((abs(x) * ((1 << 44) / cap)) >> 28, (1 << 19) - 1)
    let (i, r) = (z / 128, z % 128)
    let (low, high) = (Int(table[i]), Int(table[i + 1]))
    let tau = low + Rounding.shiftedRight((high - low) * r, by: 7)
    let magnitude = Rounding.shiftedRight(cap * tau, by: 24)
    return x < 0 ? -magnitude : magnitude
  }
}
