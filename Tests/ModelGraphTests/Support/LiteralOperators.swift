import ModelGraph

/// Operators beyond those of a Llama.
extension Literal {
  static let bound30: Int128 = (1 << 30) - 1

  static func addResiduals(_ x: Residual, _ z: Residual) -> Residual {
    Residual(zip(x.x, z.x).map { Int(clamp(Int128($0) + Int128($1), -bigX, bigX)) })
  }

  static func addBias(_ x: Act32, _ b: [Int128], _ f: Int) -> Act32 {
    let g = max(x.exponent, -f - 6)
    return Act32(
      zip(x.t, b).map { Int32(clamp(rs(Int128($0), g - x.exponent) + sh($1, -f - g), -bound30, bound30)) },
      exponent: g)
  }

  static func normHeads(_ x: Act32, _ g: [Int128], _ fg: Int, _ epsilon: Int128, _ bigF: Int) -> Act32 {
    let w = g.count
    var out = Act32([], exponent: -7 - fg)
    for h in 0..<(x.t.count / w) {
      let head = x.t[(h * w)..<((h + 1) * w)].map { Int128($0) }
      let n = scaled(head) { k1 in
        let n = -2 * (x.exponent + k1 + bigF)
        let product = n >= 0 ? sh(epsilon, n) : floorDivide(epsilon, power(min(-n, 100)))
        return min(product, power(62) - 1)
      }
      out.t += zip(n, g).map { Int32(clamp(rs($0 * $1, 17), -bound30, bound30)) }
    }
    return out
  }

  static func layerNorm(
    _ x: Residual, _ g: [Int128], _ fg: Int, _ b: [Int128], _ fb: Int, _ epsilon: Int128, _ bigF: Int
  ) -> Residual {
    let x = x.x.map { Int128($0) }
    let d = Int128(x.count)
    let mean = floorDivide(2 * x.reduce(0, +) + d, 2 * d)
    let n = scaled(x.map { $0 - mean }) { k1 in floorDivide(epsilon, power(2 * k1)) }
    let limit = power(48)
    return Residual(
      n.indices.map { c in
        let first = clamp(sh(n[c] * g[c], bigF - 24 - fg), -limit, limit)
        let second = clamp(sh(b[c], bigF - fb), -limit, limit)
        return Int(clamp(first + second, -bigX, bigX))
      })
  }

  static func quantise(_ x: Residual, _ bigF: Int) -> Act16 {
    let (q, k) = quantise(x.x.map { Int128($0) }, 32767)
    return Act16(q.map { Int16($0) }, exponent: k - bigF)
  }

  static func route(_ x: Act32, _ slots: Int, normalised: Bool) -> Routes {
    var left = Set(x.t.indices)
    var ids: [Int] = []
    while ids.count < slots {
      let largest = left.map { x.t[$0] }.max()!
      let id = left.filter { x.t[$0] == largest }.min()!
      ids.append(id)
      left.remove(id)
    }
    let b = x.t.map { clamp(sh(Int128($0), x.exponent + 12), -bound30, bound30) }
    let p = b.map { b0 in
      let delta = b.max()! - b0
      return rs(Int128(Tables.exponential[Int(delta % 4096)]) * 512, Int(delta / 4096))
    }
    let s = normalised ? ids.reduce(0) { $0 + p[$1] } : p.reduce(0, +)
    return Routes(
      ids: ids.map { Int32($0) }, shares: ids.map { Int32(floorDivide(2 * p[$0] * power(24) + s, 2 * s)) })
  }

  static func expertLinear(_ x: Act16, _ routes: Routes, _ w: LiteralWeight, _ experts: Int) -> Act32 {
    let products = routes.ids.map { w.product(x, expert: Int($0), of: experts) }
    return Act32(products.flatMap(\.t), exponent: products[0].exponent)
  }

  static func expertSum(_ x: Act16, _ routes: Routes, _ w: LiteralWeight, _ experts: Int) -> Act32 {
    let inner = w.w[0].count
    let products = routes.ids.enumerated().map { k, id in
      w.product(Act16(Array(x.q[(k * inner)..<((k + 1) * inner)]), exponent: x.exponent), expert: Int(id), of: experts)
    }
    let t = products[0].t.indices.map { j in
      let sum = zip(products, routes.shares).reduce(Int128(0)) { $0 + rs(Int128($1.0.t[j]) * Int128($1.1), 24) }
      return Int32(clamp(sum, -bound30, bound30))
    }
    return Act32(t, exponent: products[0].exponent)
  }

  static func cap(_ x: Int128, _ c: Int128) -> Int128 {
    let z = min(floorDivide(abs(x) * floorDivide(power(44), c), power(28)), power(19) - 1)
    let (i, r) = (Int(z / 128), z % 128)
    let tau = Int128(Tables.tanh[i]) + rs((Int128(Tables.tanh[i + 1]) - Int128(Tables.tanh[i])) * r, 7)
    let y = rs(c * tau, 24)
    return x < 0 ? -y : y
  }

  static func softcap(_ x: Act32, _ c: Int) -> Act32 {
    Act32(
      x.t.map { Int32(cap(clamp(sh(Int128($0), x.exponent + 16), -bound30, bound30), Int128(c))) }, exponent: -16)
  }

  static func embedding(
    _ x: [Residual], _ pooling: Pooling, normalised: Bool, _ dimensions: Int, _ bigF: Int
  ) -> (v: [Int32], exponent: Int) {
    let n = Int128(x.count)
    let p: [Int128] = (0..<dimensions).map { c in
      switch pooling {
      case .mean: floorDivide(2 * x.reduce(Int128(0)) { $0 + Int128($1.x[c]) } + n, 2 * n)
      case .cls: Int128(x[0].x[c])
      case .last: Int128(x[x.count - 1].x[c])
      }
    }
    if normalised { return (scaled(p) { _ in 0 }.map { Int32($0) }, -24) }
    var k = 0
    while rs(p.map { abs($0) }.max()!, k) > power(24) { k += 1 }
    return (p.map { Int32(rs($0, k)) }, k - bigF)
  }
}
