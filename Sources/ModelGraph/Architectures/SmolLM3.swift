/// SmolLM3: a Llama with some layers that do not turn queries and keys (`ropelessLayers`).
struct SmolLM3: Architecture {
  let rules = ConfigurationRules.decoder(allows: [.ropelessLayers])

  func build(_ b: inout GraphBuilder) {
    var x = b.embedding()
    for n in b.layers {
      x = b.attention(n, x)
      x = b.mlp(n, x)
    }
    b.logits(x)
  }
}
