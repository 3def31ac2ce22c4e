extension ReferenceOperators {
  /// 4.3 linear(act16, W) → act32 for linear4 and linear4m.
  static func linear(_ inputs: [Act16], _ weight: Linear4, rows: Range<Int>) -> [Act32] {
    let (columns, s1, s2) = (weight.columns, weight.shifts.s1, weight.shifts.s2)
    let groups = columns / Linear4.groupSize
    var outputs = inputs.map {
      Act32([Int32](repeating: 0, count: rows.count), exponent: $0.exponent + s1 + s2 - weight.exponent)
    }
    let q = sideBySide(inputs, columns)
    // What a minimum is multiplied by: the sum of the group's inputs.
    let sums = stride(from: 0, to: q.count, by: Linear4.groupSize).map { start in
      q[start..<(start + Linear4.groupSize)].reduce(0) { $0 + Int($1) }
    }
    // linear4 counts its weights from -8, linear4m from 0.
    let offset: Int8 = weight.groupMinimums == nil ? 8 : 0
    for j in rows {
      let row = UnsafeBufferPointer(rebasing: weight.values[(j * columns / 2)..<((j + 1) * columns / 2)])
      let u = row.flatMap { [Int8($0 & 15) - offset, Int8($0 >> 4) - offset] }
      for n in inputs.indices {
        var y = 0
        for g in 0..<groups {
          let products = dot(u, g * Linear4.groupSize, q, (n * groups + g) * Linear4.groupSize)
          y += Linear4.value(weight.groupMultipliers[j * groups + g]) * products
          if let minimums = weight.groupMinimums {
            y -= 16 * Linear4.value(minimums[j * groups + g]) * sums[n * groups + g]
          }
        }
        let t = Rounding.shiftedRight(y, by: s1) * Int(weight.multipliers[j])
        outputs[n].t[j - rows.lowerBound] = Int32(Rounding.shiftedRight(t, by: s2))
      }
    }
    return outputs
  }

  /// Σ u_i · q_i over one group.
  @inline(__always)
  private static func dot(_ u: [Int8], _ firstWeight: Int, _ q: [Int16], _ firstInput: Int) -> Int {
    u.withUnsafeBufferPointer { u in
      q.withUnsafeBufferPointer { q in
        // 32 products of at most 15 · 32767 stay below 2^24, so the sum cannot wrap.
        var sum: Int32 = 0
        for i in 0..<Linear4.groupSize { sum = sum &+ Int32(u[firstWeight + i]) &* Int32(q[firstInput + i]) }
        return Int(sum)
      }
    }
  }
}
