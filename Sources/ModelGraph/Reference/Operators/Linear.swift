extension ReferenceOperators {
  /// 4.3 linear(act16, W) → act32, for several positions at once: a row of the weight is read once for
  /// all of them.
  package static func linear(_ inputs: [Act16], _ weight: LinearWeight) -> [Act32] {
    linear(inputs, weight, rows: 0..<weight.rows)
  }

  /// The same for some rows of the weight only.
  static func linear(_ inputs: [Act16], _ weight: LinearWeight, rows: Range<Int>) -> [Act32] {
    switch weight {
    case .eight(let weight): linear(inputs, weight, rows: rows)
    case .four(let weight): linear(inputs, weight, rows: rows)
    case .sixteen(let weight): linear(inputs, weight, rows: rows)
    }
  }

  private static func linear(_ inputs: [Act16], _ weight: Linear8, rows: Range<Int>) -> [Act32] {
    let (columns, s) = (weight.columns, weight.shift)
    var outputs = inputs.map {
      Act32([Int32](repeating: 0, count: rows.count), exponent: $0.exponent + s - weight.exponent)
    }
    let q = sideBySide(inputs, columns)
    q.withUnsafeBufferPointer { q in
      // A block of rows stays in the nearest cache while every position uses it.
      for block in stride(from: rows.lowerBound, to: rows.upperBound, by: 16) {
        for n in inputs.indices {
          outputs[n].t.withUnsafeMutableBufferPointer { t in
            for j in block..<min(block + 16, rows.upperBound) {
              let y = dot(weight.values.baseAddress! + j * columns, q.baseAddress! + n * columns, count: columns)
              t[j - rows.lowerBound] = Int32(Rounding.shiftedRight(y * Int(weight.multipliers[j]), by: s))
            }
          }
        }
      }
    }
    return outputs
  }

  /// Positions next to each other, so that an inner loop runs over plain memory.
  static func sideBySide(_ inputs: [Act16], _ columns: Int) -> [Int16] {
    var q: [Int16] = []
    q.reserveCapacity(inputs.count * columns)
    for input in inputs {
      precondition(input.q.count == columns, "an activation as wide as the weight")
      q += input.q
    }
    return q
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
