extension ReferenceOperators {
  /// 4.1 embed(token) → residual, and embedPosition(position).
  ///
  /// - Parameters:
  ///   - token: a row of the table.
  ///   - scale: m, in units of 2^-14; nil for one.
  ///   - fractionBits: F.
  package static func embed(_ token: Int, _ table: Table16, scale: Int? = nil, fractionBits: Int) -> Residual {
    let row = UnsafeBufferPointer(rebasing: table.values[(token * table.columns)..<((token + 1) * table.columns)])
    return embed(row, Int(table.multipliers[token]), scale, shift: fractionBits - table.exponent)
  }

  /// The same from the rows of the head, when embeddings are tied.
  package static func embed(_ token: Int, _ head: LinearWeight, scale: Int? = nil, fractionBits: Int) -> Residual {
    embed(head.integers(row: token), head.multiplier(row: token), scale, shift: fractionBits - head.exponent)
  }

  /// x_c = clamp(SH(w_vc · M_v, F - f), -X, X), or with a scale clamp(SH(w_vc · M_v · m, F - f - 14), -X, X).
  private static func embed(
    _ row: some Collection<some FixedWidthInteger>, _ multiplier: Int, _ scale: Int?, shift: Int
  ) -> Residual {
    // w < 2^31, M < 2^24 and m < 2^22.
    let factor = Int128(multiplier * (scale ?? 1))
    let shift = scale == nil ? shift : shift - 14
    return Residual(row.map { Rounding.scaled(Int128($0) * factor, byPowerOfTwo: shift, limit: Residual.limit) })
  }
}
