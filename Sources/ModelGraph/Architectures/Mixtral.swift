/// Mixtral: a Mistral with experts in place of the MLP.
struct Mixtral: Architecture {
  let rules = ConfigurationRules.decoder(
    requires: [.experts, .expertsPerToken], allows: [.expertSharesOfAll])

  func build(_ b: inout GraphBuilder) {
    var x = b.embedding()
    for n in b.layers {
      x = b.attention(n, x)
      x = b.experts(n, x)
    }
    b.logits(x)
  }
}
