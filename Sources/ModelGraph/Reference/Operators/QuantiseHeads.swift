extension ReferenceOperators {
  /// 4.5 quantiseHeads(act32, heads, limit) → heads16: each head by itself.
  package static func quantiseHeads(_ x: Act32, heads: Int, limit: Int) -> Heads16 {
    let width = x.t.count / heads
    var out = Heads16([], exponents: [])
    for head in 0..<heads {
      let (q, k) = Rounding.quantised(x.t[(head * width)..<((head + 1) * width)].lazy.map { Int($0) }, limit: limit)
      out.q += q
      out.exponents.append(x.exponent + k)
    }
    return out
  }
}
