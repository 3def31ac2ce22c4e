extension ReferenceOperators {
  /// 4.9 add(residual, act32) → residual.
  package static func add(_ x: Residual, _ t: Act32, fractionBits: Int) -> Residual {
    let shift = t.exponent + fractionBits
    return Residual(
      zip(x.x, t.t).map { x, t in
        // A summand of 2^47 or more decides the clamp whatever x is, so cutting it there changes nothing.
        let summand = Rounding.scaled(Int(t), byPowerOfTwo: shift, limit: 1 << 47)
        return Rounding.clamped(x + summand, to: Residual.limit)
      })
  }

  /// 4.9 addResiduals(residual, residual) → residual.
  package static func addResiduals(_ x: Residual, _ z: Residual) -> Residual {
    Residual(zip(x.x, z.x).map { Rounding.clamped($0 + $1, to: Residual.limit) })
  }
}
