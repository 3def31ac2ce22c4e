import ModelGraph

/// A weight multiplied out: section 3 and 4.3 as slowly and as literally as possible.
struct LiteralWeight {
  var w: [[Int128]]
  var multipliers: [Int128]
  var exponent: Int
  /// Wmax; nil for linear8.
  var largest: Int128?

  init(_ weight: LinearWeight) {
    exponent = weight.exponent
    switch weight {
    case .eight(let weight):
      w = (0..<weight.rows).map { j in
        (0..<weight.columns).map { i in Int128(weight.values[j * weight.columns + i]) }
      }
      multipliers = weight.multipliers.map { Int128($0) }
    case .sixteen(let weight):
      w = (0..<weight.rows).map { j in
        (0..<weight.columns).map { i in Int128(weight.values[j * weight.columns + i]) }
      }
      largest = 32768
      multipliers = weight.multipliers.map { Int128($0) }
    case .four(let weight):
      func value(_ g: UInt16) -> Int128 {
        var v = Int128(g % 2048) * Literal.power(Int(g / 2048 % 16))
        if g >= 32768 { v = -v }
        return v
      }
      var largest: Int128 = 0
      w = []
      for j in 0..<weight.rows {
        var row: [Int128] = []
        for i in 0..<weight.columns {
          let index = j * weight.columns + i
          let u = Int128(i % 2 == 0 ? weight.values[index / 2] % 16 : weight.values[index / 2] / 16)
          let g = value(weight.groupMultipliers[index / 32])
          if let minimums = weight.groupMinimums {
            let b = 16 * value(minimums[index / 32])
            row.append(u * g - b)
            largest = max(largest, abs(b), abs(15 * g - b))
          } else {
            row.append((u - 8) * g)
            largest = max(largest, 8 * abs(g))
          }
        }
        w.append(row)
      }
      self.largest = largest
      multipliers = weight.multipliers.map { Int128($0) }
    }
  }

  /// 4.3, with the rows of one of `experts` only.
  func product(_ x: Act16, expert: Int = 0, of experts: Int = 1) -> Act32 {
    let o = w.count / experts
    let rows = (expert * o)..<(expert * o + o)
    let y = rows.map { j in zip(w[j], x.q).reduce(Int128(0)) { $0 + $1.0 * Int128($1.1) } }
    let mMax = multipliers.max()!
    let limit: Int128 = (1 << 30) - 1
    func smallest(_ isEnough: (Int) -> Bool) -> Int {
      var s = 0
      while !isEnough(s) { s += 1 }
      return s
    }
    guard let largest else {
      let bound = 32767 * 128 * Int128(w[0].count) * mMax
      let s = smallest { bound <= limit * Literal.power($0) }
      return Act32(
        zip(y, rows).map { Int32(Literal.rs($0 * multipliers[$1], s)) }, exponent: x.exponent + s - exponent)
    }
    let bound = 32767 * largest * Int128(w[0].count)
    let s1 = smallest { bound <= Literal.power(38) * Literal.power($0) }
    let z = Literal.rs(bound, s1)
    let s2 = smallest { z * mMax <= limit * Literal.power($0) }
    return Act32(
      zip(y, rows).map { Int32(Literal.rs(Literal.rs($0, s1) * multipliers[$1], s2)) },
      exponent: x.exponent + s1 + s2 - exponent)
  }
}
