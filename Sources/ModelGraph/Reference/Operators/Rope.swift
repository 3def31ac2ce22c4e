extension ReferenceOperators {
  /// 4.4 rope(act32, heads) → act32: each head's pairs (i, i + R) turned by the position.
  ///
  /// - Parameter frequencies: φ, R of them: at most half of a head's elements.
  package static func rope(_ x: Act32, heads: Int, position: Int, frequencies: [UInt64]) -> Act32 {
    let cosine = Tables.cosine
    let half = frequencies.count
    let width = x.t.count / heads
    var out = x
    for i in 0..<half {
      // Both sums are meant modulo 2^64: whole turns do not count.
      let phase = UInt64(position) &* frequencies[i]
      let index = Int((phase &+ (1 << 47)) >> 48)
      let (cos, sin) = (Int(cosine[index]), Int(cosine[(index + 65536 - 16384) % 65536]))
      for head in stride(from: 0, to: x.t.count, by: width) {
        let (a, b) = (Int(x.t[head + i]), Int(x.t[head + i + half]))
        out.t[head + i] = Int32(Rounding.shiftedRight(a * cos - b * sin, by: 15))
        out.t[head + i + half] = Int32(Rounding.shiftedRight(b * cos + a * sin, by: 15))
      }
    }
    return out
  }
}
