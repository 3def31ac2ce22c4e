/// Llama 2 and 3, SmolLM2 and what is shaped like them: the plain decoder of RMS norms, rope, grouped-query
/// attention and a gated MLP.
struct Llama: Architecture {
  let rules = ConfigurationRules.decoder()

  func build(_ b: inout GraphBuilder) {
    var x = b.embedding()
    for n in b.layers {
      x = b.attention(n, x)
      x = b.mlp(n, x)
    }
    b.logits(x)
  }
}
