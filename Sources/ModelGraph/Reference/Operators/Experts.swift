extension ReferenceOperators {
  /// 4.15 expertLinear(act16, routes, W) → act32: the product with each slot's expert, side by side.
  ///
  /// - Parameters:
  ///   - weight: the rows of all experts, one expert after another.
  ///   - experts: how many experts there are.
  package static func expertLinear(_ x: Act16, _ routes: Routes, _ weight: LinearWeight, experts: Int) -> Act32 {
    let t = routes.ids.flatMap { linear([x], weight, rows: rows(of: $0, weight, experts))[0].t }
    return Act32(t, exponent: x.exponent + weight.exponentOfProduct)
  }

  /// 4.15 expertSum(act16, routes, W) → act32: the products of each slot's part of x with its expert, weighted by
  /// the slots' shares.
  package static func expertSum(_ x: Act16, _ routes: Routes, _ weight: LinearWeight, experts: Int) -> Act32 {
    var sums = [Int](repeating: 0, count: weight.rows / experts)
    for (slot, (id, share)) in zip(routes.ids, routes.shares).enumerated() {
      let part = Act16(Array(x.q[(slot * weight.columns)..<((slot + 1) * weight.columns)]), exponent: x.exponent)
      let product = linear([part], weight, rows: rows(of: id, weight, experts))[0]
      for (j, t) in product.t.enumerated() { sums[j] += Rounding.shiftedRight(Int(t) * Int(share), by: 24) }
    }
    return Act32(
      sums.map { Int32(Rounding.clamped($0, to: (1 << 30) - 1)) },
      exponent: x.exponent + weight.exponentOfProduct)
  }

  private static func rows(of expert: Int32, _ weight: LinearWeight, _ experts: Int) -> Range<Int> {
    let count = weight.rows / experts
    return (Int(expert) * count)..<(Int(expert) * count + count)
  }
}
