import ModelGraph

/// The graphs of section 6 run with ``Literal``: no graph, no blocks, no cache type. A decoder goes position by
/// position.
struct LiteralInterpreter {
  let image: ModelImage
  private var c: ModelConfiguration { image.manifest.config }
  private var bigF: Int { c.residualFractionBits }
  private var hd: Int { c.headDimension }
  private var records: [TraceRecord] = []
  private var position = 0
  private var prefix = ""
  private var keys: [[Heads16]] = []
  private var values: [[Heads16]] = []

  // What section 6 says of the architectures, apart from what their configurations say.
  private var hasHeadNorms: Bool { ["qwen3", "qwen3moe", "gemma3"].contains(image.manifest.architecture) }
  private var hasPostNorms: Bool { ["gemma2", "gemma3"].contains(image.manifest.architecture) }
  private var hasLocalRope: Bool { image.manifest.architecture == "gemma3" }

  private init(_ image: ModelImage) { self.image = image }

  /// - Returns: every named value at every position.
  static func run(_ image: ModelImage, _ tokens: [Int32]) -> [TraceRecord] {
    var run = LiteralInterpreter(image)
    run.keys = Array(repeating: [], count: run.c.layers)
    run.values = run.keys
    if image.manifest.architecture == "bert" {
      run.encode(tokens.map { Int($0) })
    } else {
      for (p, token) in tokens.enumerated() {
        run.position = p
        run.decode(Int(token))
      }
    }
    return run.records
  }

  @discardableResult
  private mutating func note<T>(_ name: String, _ value: T, _ wrap: (T) -> Value) -> T {
    records.append(TraceRecord(name: prefix + name, position: position, value: wrap(value)))
    return value
  }

  // MARK: Decoders

  private mutating func decode(_ token: Int) {
    prefix = ""
    var x = note("embed", embedded(token), Value.residual)
    for n in 0..<c.layers {
      prefix = "layers.\(n)."
      let isLocal = c.localLayers.contains(n)
      let a = note("attn_norm", rmsNorm("\(prefix)input_layernorm", x), Value.act16)
      var (q, k, v) = projections(a)
      if hasHeadNorms {
        q = note("q_normed", normHeads("\(prefix)q_norm", q, c.headNormEpsilon!), Value.act32)
        k = note("k_normed", normHeads("\(prefix)k_norm", k, c.headNormEpsilon!), Value.act32)
      }
      if !c.ropelessLayers.contains(n) {
        let phi = isLocal && hasLocalRope ? image.manifest.localRopeFrequencies! : image.manifest.ropeFrequencies
        q = note("q_rope", Literal.rope(q, hd, position, phi), Value.act32)
        k = note("k_rope", Literal.rope(k, hd, position, phi), Value.act32)
      }
      let first = isLocal ? max(0, position - c.window! + 1) : 0
      heads(n, k, v)
      var o = attention(n, q, Array(first...position))
      if hasPostNorms {
        o = note("o_normed", normHeads("\(prefix)post_attention_norm", o, c.normEpsilon), Value.act32)
      }
      let middle = note("attn_out", Literal.add(x, o, bigF), Value.residual)
      let m = note("mlp_norm", rmsNorm("\(prefix)post_attention_layernorm", middle), Value.act16)
      var down = c.experts == nil ? mlp(m) : experts(m)
      if hasPostNorms {
        down = note("down_normed", normHeads("\(prefix)post_feedforward_norm", down, c.normEpsilon), Value.act32)
      }
      x = note("mlp_out", Literal.add(middle, down, bigF), Value.residual)
    }
    prefix = ""
    let final = note("final_norm", rmsNorm("norm", x), Value.act16)
    let logits = note("logits", weight("lm_head").product(final), Value.act32)
    if let cap = c.logitsSoftcap { note("logits_capped", Literal.softcap(logits, cap), Value.act32) }
  }

  private mutating func mlp(_ m: Act16) -> Act32 {
    let gate = projection("gate", "gate_proj", m)
    let up = projection("up", "up_proj", m)
    return projection("down", "down_proj", note("hidden", Literal.gated(gate, up, c.activation), Value.act16))
  }

  private mutating func experts(_ m: Act16) -> Act32 {
    let router = note("router", weight("\(prefix)router").product(m), Value.act32)
    let routes = note(
      "routes", Literal.route(router, c.expertsPerToken!, normalised: !c.expertSharesOfAll), Value.routes)
    let (gates, ups) = (weight("\(prefix)experts.gate_proj"), weight("\(prefix)experts.up_proj"))
    let gate = note("gate", Literal.expertLinear(m, routes, gates, c.experts!), Value.act32)
    let up = note("up", Literal.expertLinear(m, routes, ups, c.experts!), Value.act32)
    let hidden = note("hidden", Literal.gated(gate, up, c.activation), Value.act16)
    return note(
      "down", Literal.expertSum(hidden, routes, weight("\(prefix)experts.down_proj"), c.experts!), Value.act32)
  }

  // MARK: Encoders

  private mutating func encode(_ tokens: [Int]) {
    var x: [Residual] = []
    for (p, token) in tokens.enumerated() {
      (position, prefix) = (p, "")
      let t = note("token", row("embed_tokens", token, nil), Value.residual)
      let e = note("position", row("embed_positions", p, nil), Value.residual)
      let sum = note("embed_sum", Literal.addResiduals(t, e), Value.residual)
      x.append(note("embed", layerNorm("embed_norm", sum), Value.residual))
    }
    for n in 0..<c.layers {
      prefix = "layers.\(n)."
      var queries: [Act32] = []
      for p in tokens.indices {
        position = p
        let (q, k, v) = projections(note("input", Literal.quantise(x[p], bigF), Value.act16))
        queries.append(q)
        heads(n, k, v)
      }
      for p in tokens.indices {
        position = p
        let o = attention(n, queries[p], Array(tokens.indices))
        let attended = note("attn_sum", Literal.add(x[p], o, bigF), Value.residual)
        let middle = note("attn_out", layerNorm("\(prefix)attn_norm", attended), Value.residual)
        let up = projection("up", "up_proj", note("mlp_input", Literal.quantise(middle, bigF), Value.act16))
        let hidden = note("hidden", Literal.activate(up, c.activation), Value.act16)
        let down = projection("down", "down_proj", hidden)
        let sum = note("mlp_sum", Literal.add(middle, down, bigF), Value.residual)
        x[p] = note("mlp_out", layerNorm("\(prefix)mlp_norm", sum), Value.residual)
      }
    }
  }

  // MARK: Both

  private mutating func projections(_ a: Act16) -> (q: Act32, k: Act32, v: Act32) {
    (projection("q", "q_proj", a), projection("k", "k_proj", a), projection("v", "v_proj", a))
  }

  private mutating func projection(_ name: String, _ tensor: String, _ a: Act16) -> Act32 {
    let t = note(name, weight(prefix + tensor).product(a), Value.act32)
    guard c.biases.contains(where: { $0.rawValue == tensor }) else { return t }
    let bias = image.bias("\(prefix)\(tensor).bias")
    return note(
      "\(name)_biased", Literal.addBias(t, bias.values.map { Int128($0) }, bias.exponent), Value.act32)
  }

  private mutating func heads(_ n: Int, _ k: Act32, _ v: Act32) {
    keys[n].append(note("k_heads", Literal.quantiseHeads(k, hd, 4095), Value.heads16))
    values[n].append(note("v_heads", Literal.quantiseHeads(v, hd, 4095), Value.heads16))
  }

  private mutating func attention(_ n: Int, _ q: Act32, _ visible: [Int]) -> Act32 {
    let q = note("q_heads", Literal.quantiseHeads(q, hd, hd <= 128 ? 4095 : 2047), Value.heads16)
    let attended = note(
      "attn", Literal.attention(q, keys[n], values[n], visible, c.attentionSoftcap), Value.heads32)
    return projection("o", "o_proj", note("attn_merged", Literal.mergeHeads(attended), Value.act16))
  }

  private func weight(_ name: String) -> LiteralWeight { LiteralWeight(image.linear(name)) }

  private func rmsNorm(_ name: String, _ x: Residual) -> Act16 {
    let g = image.gain(name)
    return Literal.rmsNorm(x, g.values.map { Int128($0) }, g.exponent, Int128(c.normEpsilon))
  }

  private func normHeads(_ name: String, _ x: Act32, _ epsilon: Int) -> Act32 {
    let g = image.gain(name)
    return Literal.normHeads(x, g.values.map { Int128($0) }, g.exponent, Int128(epsilon), bigF)
  }

  private func layerNorm(_ name: String, _ x: Residual) -> Residual {
    let (g, b) = (image.gain(name), image.bias("\(name).bias"))
    return Literal.layerNorm(
      x, g.values.map { Int128($0) }, g.exponent, b.values.map { Int128($0) }, b.exponent, Int128(c.normEpsilon), bigF)
  }

  private func embedded(_ token: Int) -> Residual {
    guard c.tiedEmbeddings else { return row("embed_tokens", token, c.embeddingScale) }
    let head = weight("lm_head")
    return Literal.embed(head.w[token], head.multipliers[token], head.exponent, c.embeddingScale, bigF)
  }

  private func row(_ name: String, _ index: Int, _ scale: Int?) -> Residual {
    let w = image.table16(name)
    let row = (0..<w.columns).map { Int128(w.values[index * w.columns + $0]) }
    return Literal.embed(row, Int128(w.multipliers[index]), w.exponent, scale, bigF)
  }
}
