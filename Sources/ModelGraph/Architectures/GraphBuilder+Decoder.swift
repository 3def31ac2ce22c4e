/// Blocks of decoders. Source: docs/spec/arithmetic.md, section 6.1.
extension GraphBuilder {
  /// The residual that a token starts with, from its own table or from the tied head.
  package mutating func embedding() -> Int {
    let table = config.tiedEmbeddings ? "lm_head" : "embed_tokens"
    if !config.tiedEmbeddings { tensor(table, .table16, config.vocabularySize, hiddenSize) }
    return node(
      "embed", .embed(table: table, tied: config.tiedEmbeddings, scale: config.embeddingScale), width: hiddenSize)
  }

  /// x + attention(norm(x)). Windows, biases and layers without rope are as the configuration says.
  ///
  /// - Parameters:
  ///   - headNorms: whether every head of queries and keys has a norm.
  ///   - outputNorm: whether the result has a norm before it is added.
  ///   - localRope: whether local layers turn by frequencies of their own.
  package mutating func attention(
    _ n: Int, _ x: Int, headNorms: Bool = false, outputNorm: Bool = false, localRope: Bool = false
  ) -> Int {
    let layer = "layers.\(n)"
    let isLocal = config.localLayers.contains(n)
    let hasRope = !config.ropelessLayers.contains(n)
    let norm = rmsNorm("\(layer).attn_norm", gain: "\(layer).input_layernorm", x)
    var o = attentionHeads(
      n, norm, headNorms: headNorms, rope: hasRope ? (isLocal && localRope ? .local : .global) : nil,
      window: isLocal ? config.window : nil, causal: true)
    if outputNorm { o = normed("\(layer).o_normed", gain: "\(layer).post_attention_norm", o) }
    return node("\(layer).attn_out", .add, x, o)
  }

  /// x + down(activation(gate(norm(x))) · up(norm(x))).
  ///
  /// - Parameter outputNorm: whether the result has a norm before it is added.
  package mutating func mlp(_ n: Int, _ x: Int, outputNorm: Bool = false) -> Int {
    let layer = "layers.\(n)"
    let norm = mlpNorm(n, x)
    let gate = projection(layer, "gate", .gate, norm, width: config.intermediateSize)
    let up = projection(layer, "up", .up, norm, width: config.intermediateSize)
    let hidden = node("\(layer).hidden", .gated(config.activation), gate, up)
    var down = projection(layer, "down", .down, hidden, width: hiddenSize)
    if outputNorm { down = normed("\(layer).down_normed", gain: "\(layer).post_feedforward_norm", down) }
    return node("\(layer).mlp_out", .add, x, down)
  }

  /// The same with experts, of which each position uses some.
  package mutating func experts(_ n: Int, _ x: Int) -> Int {
    let layer = "layers.\(n)"
    guard let experts = config.experts, let slots = config.expertsPerToken else {
      preconditionFailure("an architecture with experts requires their number")
    }
    let norm = mlpNorm(n, x)
    let router = linear("\(layer).router", weight: "\(layer).router", norm, width: experts, role: .linear8)
    let routes = node(
      "\(layer).routes", .route(slots: slots, sharesOfAll: config.expertSharesOfAll), router, width: slots)
    let (inner, hiddenSize) = (config.intermediateSize, hiddenSize)
    func expertLinear(_ b: inout GraphBuilder, _ name: String) -> Int {
      let weight = "\(layer).experts.\(name)_proj"
      b.tensor(weight, .linear, experts * inner, hiddenSize)
      return b.node(
        "\(layer).\(name)", .expertLinear(weight: weight, experts: experts), norm, routes, width: slots * inner)
    }
    let gate = expertLinear(&self, "gate")
    let up = expertLinear(&self, "up")
    let hidden = node("\(layer).hidden", .gated(config.activation), gate, up)
    let weight = "\(layer).experts.down_proj"
    tensor(weight, .linear, experts * hiddenSize, inner)
    let down = node(
      "\(layer).down", .expertSum(weight: weight, experts: experts), hidden, routes, width: hiddenSize)
    return node("\(layer).mlp_out", .add, x, down)
  }

  /// What the residual after the last layer says about the next token.
  package mutating func logits(_ x: Int) {
    let norm = rmsNorm("final_norm", gain: "norm", x)
    let logits = linear("logits", weight: "lm_head", norm, width: config.vocabularySize, role: .head)
    if let cap = config.logitsSoftcap { node("logits_capped", .softcap(cap: cap), logits) }
  }

  private mutating func mlpNorm(_ n: Int, _ x: Int) -> Int {
    rmsNorm("layers.\(n).mlp_norm", gain: "layers.\(n).post_attention_layernorm", x)
  }

  private mutating func normed(_ name: String, gain: String, _ x: Int) -> Int {
    normHeads(name, gain: gain, x, heads: 1, epsilon: config.normEpsilon)
  }
}
