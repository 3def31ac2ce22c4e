/// Qwen 3: every head of queries and keys has a norm before it turns.
struct Qwen3: Architecture {
  let rules = ConfigurationRules.decoder(requires: [.headNormEpsilon])

  func build(_ b: inout GraphBuilder) {
    var x = b.embedding()
    for n in b.layers {
      x = b.attention(n, x, headNorms: true)
      x = b.mlp(n, x)
    }
    b.logits(x)
  }
}
