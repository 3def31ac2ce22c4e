import ModelGraph

/// docs/spec/arithmetic.md, section 7, step by step: sorts everything, 128 bits, no state.
enum LiteralSampler {
  static func divide(_ a: Int128, _ b: Int128) -> Int128 { Literal.floorDivide(2 * a + b, 2 * b) }

  static func next(
    _ logits: Logits, _ prompt: [Int32], _ output: [Int32], _ p: SamplingParameters, draw: (Int) -> UInt64
  ) -> Int32 {
    let million: Int128 = 1_000_000
    let vocabulary = Int32(logits.values.count)
    var l = logits.values.map {
      Literal.clamp(Literal.sh(Int128($0), logits.exponent + 16), -(1 << 36), 1 << 36)
    }
    for bias in p.logitBias where bias.token < vocabulary {
      l[Int(bias.token)] += divide(Int128(bias.micros) * 65536, million)
    }
    let r = Int128(p.repetitionPenaltyMicros)
    for id in Set(prompt + output) where id >= 0 && id < vocabulary {
      l[Int(id)] = l[Int(id)] > 0 ? divide(l[Int(id)] * million, r) : divide(l[Int(id)] * r, million)
    }
    for id in Set(output) where id >= 0 && id < vocabulary {
      let n = Int128(output.count { $0 == id })
      l[Int(id)] -= divide(n * Int128(p.frequencyPenaltyMicros) * 65536, million)
      l[Int(id)] -= divide(Int128(p.presencePenaltyMicros) * 65536, million)
    }
    let largest = l.max()!
    if p.temperatureMicros == 0 { return Int32(l.firstIndex(of: largest)!) }
    let k = Literal.floorDivide(1_512_775 * million, Int128(p.temperatureMicros))
    let weights = l.map { value -> Int128 in
      let delta = Literal.rs(min(largest - value, 1 << 30) * k, 24)
      let whole = Literal.floorDivide(delta, 4096)
      return whole > 41 ? 0 : Literal.rs(Int128(Tables.exponential[Int(delta % 4096)]) * (1 << 25), Int(whole))
    }
    var kept = l.indices.sorted { (l[$1], $0) < (l[$0], $1) }
    if p.topK > 0 { kept = Array(kept.prefix(p.topK)) }
    let total = kept.reduce(0) { $0 + weights[$1] }
    var length = 0
    var sum: Int128 = 0
    repeat {
      sum += weights[kept[length]]
      length += 1
    } while sum * million < Int128(p.topPMicros) * total
    kept = Array(kept[..<length])
    let first = weights[kept[0]]
    kept = kept.filter { weights[$0] * million >= Int128(p.minPMicros) * first }
    let u = UInt128(draw(output.count))
    let w = UInt128(kept.reduce(0) { $0 + weights[$1] })
    let point = Int128((u * w) >> 64)
    var running: Int128 = 0
    return Int32(
      kept.first {
        running += weights[$0]; return running > point
      }!)
  }
}
