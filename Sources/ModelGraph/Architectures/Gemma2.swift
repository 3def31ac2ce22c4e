/// Gemma 2: a scaled embedding, norms also behind attention and MLP, caps on scores and logits, and windows in
/// local layers.
struct Gemma2: Architecture {
  let rules = ConfigurationRules.decoder(
    allows: [.embeddingScale, .attentionSoftcap, .logitsSoftcap])

  func build(_ b: inout GraphBuilder) {
    var x = b.embedding()
    for n in b.layers {
      x = b.attention(n, x, outputNorm: true)
      x = b.mlp(n, x, outputNorm: true)
    }
    b.logits(x)
  }
}
