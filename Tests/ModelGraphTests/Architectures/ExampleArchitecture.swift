import ModelGraph

/// Tidal: the norms of heads of Qwen 3 and the norms behind attention and MLP of Gemma 2.
struct Tidal: Architecture {
  let rules = ConfigurationRules.decoder(requires: [.headNormEpsilon])

  func build(_ b: inout GraphBuilder) {
    var x = b.embedding()
    for n in b.layers {
      x = b.attention(n, x, headNorms: true, outputNorm: true)
      x = b.mlp(n, x, outputNorm: true)
    }
    b.logits(x)
  }
}
