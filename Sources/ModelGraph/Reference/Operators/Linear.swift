extension ReferenceOperators {
  /// 4.3 linear(act16, W) → act32, for several positions at once: a row of the weight is read once for
  /// all of them.
  package static func linear(_ inputs: [Act16], _ weight: Linear8) -> [Act32] {
    let (rows, columns, s) = (weight.rows, weight.columns, weight.shift)
    var outputs = inputs.map {
      Act32([Int32](repeating: 0, count: rows), exponent: $0.exponent + s - weight.exponent)
    }
    // Positions next to each other, so that the inner loop runs over plain memory.
    var q: [Int16] = []
    q.reserveCapacity(inputs.count * columns)
    for input in inputs {
      precondition(input.q.count == columns, "an activation as wide as the weight")
      q += input.q
    }
    q.withUnsafeBufferPointer { q in
      // A block of rows stays in the nearest cache while every position uses it.
      for block in stride(from: 0, to: rows, by: 16) {
        for n in inputs.indices {
          outputs[n].t.withUnsafeMutableBufferPointer { t in
            for j in block..<min(block + 16, rows) {
              let y = dot(weight.values.baseAddress! + j * columns, q.baseAddress! + n * columns, count: columns)
              t[j] = Int32(Rounding.shiftedRight(y * Int(weight.multipliers[j]), by: s))
            }
          }
        }
      }
    }
    return outputs
  }

  /// Σ_i w_i · q_i, exactly.
  @inline(__always)
  private static func dot(_ w: UnsafePointer<Int8>, _ q: UnsafePointer<Int16>, count: Int) -> Int {
    var sum = 0
    var start = 0
    while start < count {
      let end = min(start + 512, count)
      // 512 products of at most 128 · 32767 stay below 2^31, so the sum cannot wrap.
      var part: Int32 = 0
      for i in start..<end { part = part &+ Int32(w[i]) &* Int32(q[i]) }
      sum += Int(part)
      start = end
    }
    return sum
  }
}
