/// BERT, MiniLM, BGE: an encoder with a norm behind attention and MLP. An importer adds the embedding of the only
/// token type to those of the positions.
struct Bert: Architecture {
  let rules = ConfigurationRules.encoder

  func build(_ b: inout GraphBuilder) {
    var x = b.positionedEmbedding()
    for n in b.layers {
      x = b.encoderAttention(n, x)
      x = b.encoderMLP(n, x)
    }
  }
}
