/// Blocks of encoders. Source: docs/spec/arithmetic.md, section 6.2.
extension GraphBuilder {
  /// Token and position, added and normalised.
  package mutating func positionedEmbedding() -> Int {
    tensor("embed_tokens", .table16, config.vocabularySize, hiddenSize)
    let token = node("token", .embed(table: "embed_tokens", tied: false, scale: nil), width: hiddenSize)
    tensor("embed_positions", .table16, config.contextLength, hiddenSize)
    let position = node("position", .embedPosition(table: "embed_positions"), width: hiddenSize)
    let sum = node("embed_sum", .addResiduals, token, position)
    return layerNorm("embed", gain: "embed_norm", sum)
  }

  /// norm(x + attention(x)), every position seeing every other.
  package mutating func encoderAttention(_ n: Int, _ x: Int) -> Int {
    let layer = "layers.\(n)"
    let input = node("\(layer).input", .quantise, x)
    let o = attentionHeads(n, input, rope: nil, causal: false)
    let sum = node("\(layer).attn_sum", .add, x, o)
    return layerNorm("\(layer).attn_out", gain: "\(layer).attn_norm", sum)
  }

  /// norm(x + down(activation(up(x)))).
  package mutating func encoderMLP(_ n: Int, _ x: Int) -> Int {
    let layer = "layers.\(n)"
    let input = node("\(layer).mlp_input", .quantise, x)
    let up = projection(layer, "up", .up, input, width: config.intermediateSize)
    let hidden = node("\(layer).hidden", .activate(config.activation), up)
    let down = projection(layer, "down", .down, hidden, width: hiddenSize)
    let sum = node("\(layer).mlp_sum", .add, x, down)
    return layerNorm("\(layer).mlp_out", gain: "\(layer).mlp_norm", sum)
  }
}
