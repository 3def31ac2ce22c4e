/// Phi 3: a Llama whose layers may see only a window, and whose heads may turn only in part (fewer
/// frequencies). An importer cuts its fused products apart.
struct Phi3: Architecture {
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
