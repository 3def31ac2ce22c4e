extension ReferenceOperators {
  /// 4.7 mergeHeads(heads32) → act16: heads next to each other under one exponent.
  package static func mergeHeads(_ x: Heads32) -> Act16 {
    let width = x.t.count / x.exponents.count
    let largest = x.exponents.max() ?? 0
    let z = x.t.enumerated().map { c, t in
      Rounding.shiftedRight(Int(t), by: largest - x.exponents[c / width])
    }
    let (q, k) = Rounding.quantised(z, limit: 32767)
    return Act16(q, exponent: largest + k)
  }
}
