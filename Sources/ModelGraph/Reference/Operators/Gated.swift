extension ReferenceOperators {
  /// 4.8 gated(gate, up) → act16: gate · Σ(gate) · up.
  package static func gated(_ gate: Act32, _ up: Act32, _ activation: Activation) -> Act16 {
    let activated = activated(gate, activation)
    let (q, k) = Rounding.quantised(zip(activated, up.t).map { h, u in h * Int(u) }, limit: 32767)
    return Act16(q, exponent: gate.exponent + up.exponent + k)
  }

  /// 4.8 activate(act32) → act16: x · Σ(x).
  package static func activate(_ x: Act32, _ activation: Activation) -> Act16 {
    let (q, k) = Rounding.quantised(activated(x, activation), limit: 32767)
    return Act16(q, exponent: x.exponent + k)
  }

  /// RS(g_c · σ, 15), in the units of g.
  private static func activated(_ g: Act32, _ activation: Activation) -> [Int] {
    let table = Tables.table(of: activation)
    return g.t.map { t in
      let x = Rounding.scaled(Int(t), byPowerOfTwo: g.exponent + 12, limit: 65535)
      let (i, r) = (abs(x) / 16, abs(x) % 16)
      let (low, high) = (Int(table[i]), Int(table[i + 1]))
      var sigma = low + Rounding.shiftedRight((high - low) * r, by: 4)
      if x < 0 { sigma = 32768 - sigma }
      return Rounding.shiftedRight(Int(t) * sigma, by: 15)
    }
  }
}
