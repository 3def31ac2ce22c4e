extension ReferenceOperators {
  /// 4.3 linear(act16, W) → act32 for linear16.
  static func linear(_ inputs: [Act16], _ weight: Linear16, rows: Range<Int>) -> [Act32] {
    let (columns, s1, s2) = (weight.columns, weight.shifts.s1, weight.shifts.s2)
    var outputs = inputs.map {
      Act32([Int32](repeating: 0, count: rows.count), exponent: $0.exponent + s1 + s2 - weight.exponent)
    }
    let q = sideBySide(inputs, columns)
    q.withUnsafeBufferPointer { q in
      for j in rows {
        let w = UnsafeBufferPointer(rebasing: weight.values[(j * columns)..<((j + 1) * columns)])
        for n in inputs.indices {
          let y = dot(w, UnsafeBufferPointer(rebasing: q[(n * columns)..<((n + 1) * columns)]))
          let t = Rounding.shiftedRight(y, by: s1) * Int(weight.multipliers[j])
          outputs[n].t[j - rows.lowerBound] = Int32(Rounding.shiftedRight(t, by: s2))
        }
      }
    }
    return outputs
  }

  /// Σ_i w_i · q_i, exactly: at most 65535 products below 2^30.
  private static func dot(_ w: UnsafeBufferPointer<Int16>, _ q: UnsafeBufferPointer<Int16>) -> Int {
    var sum = 0
    for i in w.indices { sum &+= Int(Int32(w[i]) &* Int32(q[i])) }
    return sum
  }
}
