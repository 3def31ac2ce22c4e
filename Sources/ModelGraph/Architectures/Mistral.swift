/// Mistral: a Llama whose layers may see only a window of positions (`window`, `localLayers`).
struct Mistral: Architecture {
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
