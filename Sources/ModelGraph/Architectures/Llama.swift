/// Llama-family decoders: RMSNorm, RoPE, grouped-query attention, SwiGLU, tied or untied head.
///
/// Source: docs/spec/arithmetic.md, section 6.
public struct Llama: Architecture {
  public func tensors(_ c: ModelConfiguration) -> [TensorShape] {
    let d = c.hiddenSize
    var list: [TensorShape] = c.tiedEmbeddings ? [] : [TensorShape("embed_tokens", .table16, c.vocabularySize, d)]
    for n in 0..<c.layers {
      let layer = "layers.\(n)"
      list += [
        TensorShape("\(layer).input_layernorm", .gain, d),
        TensorShape("\(layer).q_proj", .linear, c.heads * c.headDimension, d),
        TensorShape("\(layer).k_proj", .linear, c.keyValueHeads * c.headDimension, d),
        TensorShape("\(layer).v_proj", .linear, c.keyValueHeads * c.headDimension, d),
        TensorShape("\(layer).o_proj", .linear, d, c.heads * c.headDimension),
        TensorShape("\(layer).post_attention_layernorm", .gain, d),
        TensorShape("\(layer).gate_proj", .linear, c.intermediateSize, d),
        TensorShape("\(layer).up_proj", .linear, c.intermediateSize, d),
        TensorShape("\(layer).down_proj", .linear, d, c.intermediateSize),
      ]
    }
    return list + [TensorShape("norm", .gain, d), TensorShape("lm_head", .linear8, c.vocabularySize, d)]
  }

  public func graph(_ c: ModelConfiguration) -> Graph {
    let d = c.hiddenSize
    let (queryWidth, keyValueWidth) = (c.heads * c.headDimension, c.keyValueHeads * c.headDimension)
    let queryLimit = HeadLimit.query(headDimension: c.headDimension)
    var g = Graph()
    var residual = g.append(
      "embed", .embed(table: c.tiedEmbeddings ? "lm_head" : "embed_tokens", tied: c.tiedEmbeddings, scale: nil),
      width: d)
    for n in 0..<c.layers {
      let layer = "layers.\(n)"
      let norm = g.append("\(layer).attn_norm", .rmsNorm(gain: "\(layer).input_layernorm"), residual, width: d)
      let q = g.append("\(layer).q", .linear(weight: "\(layer).q_proj"), norm, width: queryWidth)
      let k = g.append("\(layer).k", .linear(weight: "\(layer).k_proj"), norm, width: keyValueWidth)
      let v = g.append("\(layer).v", .linear(weight: "\(layer).v_proj"), norm, width: keyValueWidth)
      let qRope = g.append("\(layer).q_rope", .rope(heads: c.heads, table: .global), q, width: queryWidth)
      let kRope = g.append("\(layer).k_rope", .rope(heads: c.keyValueHeads, table: .global), k, width: keyValueWidth)
      let qHeads = g.append(
        "\(layer).q_heads", .quantiseHeads(heads: c.heads, limit: queryLimit), qRope, width: queryWidth)
      let kHeads = g.append(
        "\(layer).k_heads", .quantiseHeads(heads: c.keyValueHeads, limit: HeadLimit.keyValue), kRope,
        width: keyValueWidth)
      let vHeads = g.append(
        "\(layer).v_heads", .quantiseHeads(heads: c.keyValueHeads, limit: HeadLimit.keyValue), v,
        width: keyValueWidth)
      let attention = g.append(
        "\(layer).attn",
        .attention(
          Attention(
            cache: n, heads: c.heads, keyValueHeads: c.keyValueHeads, window: nil, softcap: nil, causal: true)),
        qHeads, kHeads, vHeads,
        width: queryWidth)
      let merged = g.append("\(layer).attn_merged", .mergeHeads, attention, width: queryWidth)
      let o = g.append("\(layer).o", .linear(weight: "\(layer).o_proj"), merged, width: d)
      let middle = g.append("\(layer).attn_out", .add, residual, o, width: d)
      let mlpNorm = g.append("\(layer).mlp_norm", .rmsNorm(gain: "\(layer).post_attention_layernorm"), middle, width: d)
      let gate = g.append("\(layer).gate", .linear(weight: "\(layer).gate_proj"), mlpNorm, width: c.intermediateSize)
      let up = g.append("\(layer).up", .linear(weight: "\(layer).up_proj"), mlpNorm, width: c.intermediateSize)
      let hidden = g.append("\(layer).hidden", .gated(.silu), gate, up, width: c.intermediateSize)
      let down = g.append("\(layer).down", .linear(weight: "\(layer).down_proj"), hidden, width: d)
      residual = g.append("\(layer).mlp_out", .add, middle, down, width: d)
    }
    let norm = g.append("final_norm", .rmsNorm(gain: "norm"), residual, width: d)
    g.append("logits", .linear(weight: "lm_head"), norm, width: c.vocabularySize)
    return g
  }
}
