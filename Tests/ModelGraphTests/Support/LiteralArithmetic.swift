import ModelGraph

/// docs/spec/arithmetic.md, sections 1 to 4, transcribed as slowly and as literally as possible: every
/// number is 128 bits wide and every operation is checked. Nothing is shared with the sources.
enum Literal {
  static func floorDivide(_ a: Int128, _ b: Int128) -> Int128 {
    var q = a / b
    if q * b > a { q -= 1 }
    return q
  }

  static func power(_ n: Int) -> Int128 { (0..<n).reduce(1) { p, _ in p * 2 } }

  static func rs(_ x: Int128, _ s: Int) -> Int128 {
    if s == 0 { return x }
    // |x| < 2^100 here: from 2^110 on the quotient is 0.
    if s > 110 { return 0 }
    return floorDivide(x + power(s - 1), power(s))
  }

  /// Beyond 2^110 the value only says "larger than any clamp".
  static func sh(_ x: Int128, _ n: Int) -> Int128 {
    if n < 0 { return rs(x, -n) }
    var y = x
    for _ in 0..<n where abs(y) < power(110) && y != 0 { y *= 2 }
    return y
  }

  static func clamp(_ x: Int128, _ low: Int128, _ high: Int128) -> Int128 { x < low ? low : x > high ? high : x }

  static func bitlen(_ x: Int128) -> Int {
    var k = 0
    while power(k) <= x { k += 1 }
    return k
  }

  static func quantise(_ v: [Int128], _ limit: Int128) -> ([Int128], Int) {
    let m = v.map { abs($0) }.max()!
    var k = 0
    while rs(m, k) > limit { k += 1 }
    return (v.map { rs($0, k) }, k)
  }

  static let bigX: Int128 = (1 << 46) - 1

  static func embed(_ w: [Int128], _ m: Int128, _ f: Int, _ scale: Int?, _ bigF: Int) -> Residual {
    if let scale { return Residual(w.map { Int(clamp(sh($0 * m * Int128(scale), bigF - f - 14), -bigX, bigX)) }) }
    return Residual(w.map { Int(clamp(sh($0 * m, bigF - f), -bigX, bigX)) })
  }

  /// 4.2, steps 1 to 4.
  ///
  /// - Parameter addend: what is added to the squares, given k1.
  static func scaled(_ x: [Int128], _ addend: (Int) -> Int128) -> [Int128] {
    let m = x.map { abs($0) }.max()!
    let k1 = max(0, bitlen(m) - 24)
    let u = x.map { rs($0, k1) }
    let s = max(1, u.reduce(0) { $0 + $1 * $1 } + addend(k1))
    let a = (bitlen(s) + 1) / 2
    var low: Int128 = 0
    var high: Int128 = 1 << 17
    while high - low > 1 {
      let r = (low + high) / 2
      if r * r * s <= power(2 * a + 30) { low = r } else { high = r }
    }
    return u.map { sh($0 * low, 9 - a) }
  }

  static func rmsNorm(_ x: Residual, _ g: [Int128], _ fg: Int, _ epsilon: Int128) -> Act16 {
    let n = scaled(x.x.map { Int128($0) }) { k1 in floorDivide(epsilon, power(2 * k1)) }
    let (q, k) = quantise(zip(n, g).map { $0 * $1 }, 32767)
    return Act16(q.map { Int16($0) }, exponent: k - 24 - fg)
  }

  static func rope(_ x: Act32, _ hd: Int, _ p: Int, _ phi: [UInt64]) -> Act32 {
    var out = x
    let bigR = phi.count
    for i in 0..<bigR {
      let phase = Int128(p) * Int128(phi[i]) % power(64)
      let index = Int(floorDivide(phase + power(47), power(48)) % 65536)
      let (c, s) = (Int128(Tables.cosine[index]), Int128(Tables.cosine[(index + 49152) % 65536]))
      for h in 0..<(x.t.count / hd) {
        let (a, b) = (Int128(x.t[h * hd + i]), Int128(x.t[h * hd + i + bigR]))
        out.t[h * hd + i] = Int32(rs(a * c - b * s, 15))
        out.t[h * hd + i + bigR] = Int32(rs(b * c + a * s, 15))
      }
    }
    return out
  }

  static func quantiseHeads(_ x: Act32, _ hd: Int, _ limit: Int) -> Heads16 {
    var out = Heads16([], exponents: [])
    for h in 0..<(x.t.count / hd) {
      let (q, k) = quantise(x.t[(h * hd)..<((h + 1) * hd)].map { Int128($0) }, Int128(limit))
      out.q += q.map { Int16($0) }
      out.exponents.append(x.exponent + k)
    }
    return out
  }

  static func attention(
    _ q: Heads16, _ keys: [Heads16], _ values: [Heads16], _ visible: [Int], _ softcap: Int? = nil
  ) -> Heads32 {
    let heads = q.exponents.count
    let kvHeads = keys[0].exponents.count
    let hd = q.q.count / heads
    var out = Heads32([], exponents: [])
    for h in 0..<heads {
      let kv = h / (heads / kvHeads)
      let limit: Int128 = (1 << 30) - 1
      let b = visible.map { j in
        var s: Int128 = 0
        for c in 0..<hd { s += Int128(q.q[h * hd + c]) * Int128(keys[j].q[kv * hd + c]) }
        let score = clamp(sh(s, q.exponents[h] + keys[j].exponents[kv] + 12), -limit, limit)
        return softcap.map { cap(score, Int128($0)) } ?? score
      }
      let delta = b.map { b.max()! - $0 }
      let p0 = delta.map { Int128(Tables.exponential[Int($0 % 4096)]) * 512 }
      let ip = delta.map { Int(floorDivide($0, 4096)) }
      let sum = zip(p0, ip).reduce(0) { $0 + rs($1.0, $1.1) }
      let e = visible.map { values[$0].exponents[kv] }.max()!
      let weights = visible.indices.map { n in rs(p0[n], ip[n] + e - values[visible[n]].exponents[kv]) }
      let bits = bitlen(sum)
      let r = floorDivide(power(bits + 15), sum)
      for c in 0..<hd {
        var a: Int128 = 0
        for (n, j) in visible.enumerated() { a += weights[n] * Int128(values[j].q[kv * hd + c]) }
        out.t.append(Int32(rs(rs(a, bits - 18) * r, 17)))
      }
      out.exponents.append(e - 16)
    }
    return out
  }

  static func mergeHeads(_ x: Heads32) -> Act16 {
    let hd = x.t.count / x.exponents.count
    let em = x.exponents.max()!
    let z = x.t.indices.map { rs(Int128(x.t[$0]), em - x.exponents[$0 / hd]) }
    let (q, k) = quantise(z, 32767)
    return Act16(q.map { Int16($0) }, exponent: em + k)
  }

  /// RS(g_c · σ, 15) of 4.8.
  private static func activated(_ g: Act32, _ activation: Activation) -> [Int128] {
    let table =
      switch activation {
      case .silu: Tables.sigmoid
      case .geluTanh: Tables.normalTanh
      case .gelu: Tables.normal
      }
    return g.t.map { g0 in
      let x = clamp(sh(Int128(g0), g.exponent + 12), -65535, 65535)
      let (i, r) = (Int(abs(x) / 16), abs(x) % 16)
      var sigma = Int128(table[i]) + rs((Int128(table[i + 1]) - Int128(table[i])) * r, 4)
      if x < 0 { sigma = 32768 - sigma }
      return rs(Int128(g0) * sigma, 15)
    }
  }

  static func activate(_ g: Act32, _ activation: Activation) -> Act16 {
    let (q, k) = quantise(activated(g, activation), 32767)
    return Act16(q.map { Int16($0) }, exponent: g.exponent + k)
  }

  static func gated(_ g: Act32, _ u: Act32, _ activation: Activation) -> Act16 {
    let v = zip(activated(g, activation), u.t).map { $0 * Int128($1) }
    let (q, k) = quantise(v, 32767)
    return Act16(q.map { Int16($0) }, exponent: g.exponent + u.exponent + k)
  }

  static func add(_ x: Residual, _ t: Act32, _ bigF: Int) -> Residual {
    Residual(zip(x.x, t.t).map { Int(clamp(Int128($0) + sh(Int128($1), t.exponent + bigF), -bigX, bigX)) })
  }
}
