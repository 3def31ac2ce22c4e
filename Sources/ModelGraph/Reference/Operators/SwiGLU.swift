extension ReferenceOperators {
  /// 4.8 swiglu(gate, up) → act16: gate · σ(gate) · up.
  package static func swiglu(_ gate: Act32, _ up: Act32) -> Act16 {
    let table = Tables.sigmoid
    let v = zip(gate.t, up.t).map { g, u in
      let x = Rounding.scaled(Int(g), byPowerOfTwo: gate.exponent + 12, limit: 65535)
      let (i, r) = (abs(x) / 16, abs(x) % 16)
      let (low, high) = (Int(table[i]), Int(table[i + 1]))
      var sigma = low + Rounding.shiftedRight((high - low) * r, by: 4)
      if x < 0 { sigma = 32768 - sigma }
      return Rounding.shiftedRight(Int(g) * sigma, by: 15) * Int(u)
    }
    let (q, k) = Rounding.quantised(v, limit: 32767)
    return Act16(q, exponent: gate.exponent + up.exponent + k)
  }
}
