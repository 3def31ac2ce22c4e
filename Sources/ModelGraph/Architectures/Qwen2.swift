/// Qwen 2 and 2.5: a Llama whose queries, keys and values have biases (`biases`).
struct Qwen2: Architecture {
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
