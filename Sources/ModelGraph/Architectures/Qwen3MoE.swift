/// Qwen 3 with experts in place of the MLP.
struct Qwen3MoE: Architecture {
  let rules = ConfigurationRules.decoder(
    requires: [.headNormEpsilon, .experts, .expertsPerToken], allows: [.expertSharesOfAll])

  func build(_ b: inout GraphBuilder) {
    var x = b.embedding()
    for n in b.layers {
      x = b.attention(n, x, headNorms: true)
      x = b.experts(n, x)
    }
    b.logits(x)
  }
}
