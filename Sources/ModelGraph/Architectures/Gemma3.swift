/// Gemma 3: the norms of Gemma 2 and, for every head of queries and keys, of Qwen 3; local layers turn by
/// frequencies of their own.
struct Gemma3: Architecture {
  let rules = ConfigurationRules.decoder(
    requires: [.headNormEpsilon, .localFrequencies], allows: [.embeddingScale, .attentionSoftcap, .logitsSoftcap])

  func build(_ b: inout GraphBuilder) {
    var x = b.embedding()
    for n in b.layers {
      x = b.attention(n, x, headNorms: true, outputNorm: true, localRope: true)
      x = b.mlp(n, x, outputNorm: true)
    }
    b.logits(x)
  }
}
