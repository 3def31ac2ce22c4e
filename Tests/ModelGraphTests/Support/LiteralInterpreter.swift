import Digests
import ModelGraph

/// A Llama of section 6 run position by position with ``Literal``: no graph, no blocks, no cache type.
enum LiteralInterpreter {
  /// - Returns: every named value at every position, in the order of section 6.
  static func run(_ image: ModelImage, _ tokens: [Int32]) -> [TraceRecord] {
    let c = image.manifest.config
    let (hd, bigF) = (c.headDimension, c.residualFractionBits)
    func linear(_ name: String, _ x: Act16) -> Act32 {
      let w = image.linear8(name)
      let rows = (0..<w.rows).map { j in (0..<w.columns).map { Int128(w.values[j * w.columns + $0]) } }
      return Literal.linear(x, rows, w.multipliers.map { Int128($0) }, w.exponent)
    }
    func norm(_ name: String, _ x: Residual) -> Act16 {
      let g = image.gain(name)
      return Literal.rmsNorm(x, g.values.map { Int128($0) }, g.exponent, Int128(c.normEpsilon))
    }
    func row(_ token: Int) -> Residual {
      if c.tiedEmbeddings {
        let w = image.linear8("lm_head")
        let row = (0..<w.columns).map { Int128(w.values[token * w.columns + $0]) }
        return Literal.embed(row, Int128(w.multipliers[token]), w.exponent, bigF)
      }
      let w = image.table16("embed_tokens")
      let row = (0..<w.columns).map { Int128(w.values[token * w.columns + $0]) }
      return Literal.embed(row, Int128(w.multipliers[token]), w.exponent, bigF)
    }
    var keys = [[Heads16]](repeating: [], count: c.layers)
    var values = keys
    var records: [TraceRecord] = []
    for (p, token) in tokens.enumerated() {
      func note(_ name: String, _ value: Value) {
        records.append(TraceRecord(name: name, position: p, value: value))
      }
      var x = row(Int(token))
      note("embed", .residual(x))
      for n in 0..<c.layers {
        let l = "layers.\(n)"
        let a = norm("\(l).input_layernorm", x)
        let (q, k, v) = (linear("\(l).q_proj", a), linear("\(l).k_proj", a), linear("\(l).v_proj", a))
        let qRope = Literal.rope(q, hd, p, image.manifest.ropeFrequencies)
        let kRope = Literal.rope(k, hd, p, image.manifest.ropeFrequencies)
        let qHeads = Literal.quantiseHeads(qRope, hd, hd <= 128 ? 4095 : 2047)
        keys[n].append(Literal.quantiseHeads(kRope, hd, 4095))
        values[n].append(Literal.quantiseHeads(v, hd, 4095))
        let attention = Literal.attention(qHeads, keys[n], values[n], p, nil)
        let merged = Literal.mergeHeads(attention)
        let o = linear("\(l).o_proj", merged)
        let middle = Literal.add(x, o, bigF)
        let m = norm("\(l).post_attention_layernorm", middle)
        let (gate, up) = (linear("\(l).gate_proj", m), linear("\(l).up_proj", m))
        let hidden = Literal.swiglu(gate, up)
        let down = linear("\(l).down_proj", hidden)
        x = Literal.add(middle, down, bigF)
        let named: [(String, Value)] = [
          ("attn_norm", .act16(a)), ("q", .act32(q)), ("k", .act32(k)), ("v", .act32(v)), ("q_rope", .act32(qRope)),
          ("k_rope", .act32(kRope)), ("q_heads", .heads16(qHeads)), ("k_heads", .heads16(keys[n][p])),
          ("v_heads", .heads16(values[n][p])), ("attn", .heads32(attention)), ("attn_merged", .act16(merged)),
          ("o", .act32(o)), ("attn_out", .residual(middle)), ("mlp_norm", .act16(m)), ("gate", .act32(gate)),
          ("up", .act32(up)), ("hidden", .act16(hidden)), ("down", .act32(down)), ("mlp_out", .residual(x)),
        ]
        for (name, value) in named { note("\(l).\(name)", value) }
      }
      let final = norm("norm", x)
      note("final_norm", .act16(final))
      note("logits", .act32(linear("lm_head", final)))
    }
    return records
  }
}
