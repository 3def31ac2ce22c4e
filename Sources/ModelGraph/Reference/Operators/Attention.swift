extension ReferenceOperators {
  /// D of the specification: fractional bits of a score.
  private static let scoreFractionBits = 12
  private static let scoreLimit = (1 << 30) - 1

  /// 4.6 attention(queries, keys, values) → heads32, for the query of one position.
  ///
  /// - Parameters:
  ///   - cache: keys and values of the visible positions at least.
  ///   - visible: the positions that the query sees, at least one.
  ///   - softcap: C, nil for none.
  package static func attention(
    _ queries: Heads16, _ cache: KeyValueCache, visible: Range<Int>, keyValueHeads: Int, softcap: Int?
  ) -> Heads32 {
    let heads = queries.exponents.count
    let width = queries.q.count / heads
    var out = Heads32([], exponents: [])
    out.t.reserveCapacity(queries.q.count)
    for head in 0..<heads {
      let (t, exponent) = attention(
        query: queries.q[(head * width)..<((head + 1) * width)], queries.exponents[head], cache,
        keyValueHead: head / (heads / keyValueHeads), visible: visible, softcap)
      out.t += t
      out.exponents.append(exponent)
    }
    return out
  }

  private static func attention(
    query: ArraySlice<Int16>, _ queryExponent: Int, _ cache: KeyValueCache, keyValueHead: Int, visible: Range<Int>,
    _ softcap: Int?
  ) -> (t: [Int32], exponent: Int) {
    // 1, 2: scores in units of 2^-12, as exponents of two.
    let scores = visible.map { j in
      let key = cache.keys.head(keyValueHead, at: j)
      let score = Rounding.scaled(
        dot(query, key.q), byPowerOfTwo: queryExponent + key.exponent + scoreFractionBits, limit: scoreLimit)
      return softcap.map { capped(score, $0) } ?? score
    }
    let largest = scores.max() ?? 0
    // 3 to 5: weights of the visible positions, and their sum.
    let exponential = Tables.exponential
    var fractions: [(t: Int, shift: Int)] = []
    fractions.reserveCapacity(scores.count)
    var sum = 0
    for score in scores {
      let distance = largest - score
      let t = Int(exponential[distance & 4095]) << 9
      fractions.append((t, distance >> 12))
      sum += Rounding.shiftedRight(t, by: distance >> 12)
    }
    // 6, 7: the weighted values, brought to the largest of their exponents.
    let exponent = visible.reduce(Int.min) { max($0, cache.values.exponent(keyValueHead, at: $1)) }
    var accumulators = [Int](repeating: 0, count: query.count)
    for (j, fraction) in zip(visible, fractions) {
      let value = cache.values.head(keyValueHead, at: j)
      let p = Rounding.shiftedRight(fraction.t, by: fraction.shift + exponent - value.exponent)
      if p > 0 { accumulate(&accumulators, p, value.q) }
    }
    // 8, 9: division by the sum. The largest score alone gives 2^24, so h ≥ 25.
    let h = Rounding.bitLength(sum)
    let reciprocal = (1 << (h + 15)) / sum
    let t = accumulators.map {
      Int32(Rounding.shiftedRight(Rounding.shiftedRight($0, by: h - 18) * reciprocal, by: 17))
    }
    return (t, exponent - 16)
  }

  /// a_c += p · v_c. The sum over all visible positions stays below 2^57 (section 9), so it cannot wrap.
  private static func accumulate(_ a: inout [Int], _ p: Int, _ v: ArraySlice<Int16>) {
    a.withUnsafeMutableBufferPointer { a in
      v.withUnsafeBufferPointer { v in
        for c in 0..<min(a.count, v.count) { a[c] = a[c] &+ p &* Int(v[c]) }
      }
    }
  }

  /// Σ q_c · k_c. The mantissa limits keep it within int32, so the sum cannot wrap.
  private static func dot(_ q: ArraySlice<Int16>, _ k: ArraySlice<Int16>) -> Int {
    q.withUnsafeBufferPointer { q in
      k.withUnsafeBufferPointer { k in
        var sum: Int32 = 0
        for c in 0..<min(q.count, k.count) { sum = sum &+ Int32(q[c]) &* Int32(k[c]) }
        return Int(sum)
      }
    }
  }
}
