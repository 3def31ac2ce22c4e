extension ReferenceOperators {
  /// 4.1 embed(token) → residual.
  ///
  /// - Parameters:
  ///   - token: a row of the table.
  ///   - fractionBits: F.
  package static func embed(_ token: Int, _ table: Table16, fractionBits: Int) -> Residual {
    let row = UnsafeBufferPointer(rebasing: table.values[(token * table.columns)..<((token + 1) * table.columns)])
    return embed(row, Int(table.multipliers[token]), shift: fractionBits - table.exponent)
  }

  /// The same from the rows of the head, when embeddings are tied.
  package static func embed(_ token: Int, _ head: Linear8, fractionBits: Int) -> Residual {
    let row = UnsafeBufferPointer(rebasing: head.values[(token * head.columns)..<((token + 1) * head.columns)])
    return embed(row, Int(head.multipliers[token]), shift: fractionBits - head.exponent)
  }

  /// x_c = clamp(SH(w_vc · M_v, F - f), -X, X).
  private static func embed(
    _ row: UnsafeBufferPointer<some FixedWidthInteger>, _ multiplier: Int, shift: Int
  ) -> Residual {
    Residual(row.map { Rounding.scaled(Int($0) * multiplier, byPowerOfTwo: shift, limit: Residual.limit) })
  }
}
