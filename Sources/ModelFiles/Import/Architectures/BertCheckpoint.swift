import ModelGraph

/// BERT as an encoder: MiniLM, bge, e5 and others.
struct BertCheckpoint: CheckpointFamily {
  let architecture = "bert"
  let classNames = ["BertModel", "BertForMaskedLM"]
  let modelTypes = ["bert"]

  func configuration(_ documents: CheckpointDocuments) throws(ImportRejection) -> CheckpointConfiguration {
    let c = documents.config
    try c.require("quantization_config", [])
    try c.require("position_embedding_type", ["\"absolute\""])
    try c.require("is_decoder", ["false"])
    try c.require("add_cross_attention", ["false"])
    let (hiddenSize, heads) = (try c.integer("hidden_size"), try c.integer("num_attention_heads"))
    let model = ModelConfiguration(
      hiddenSize: hiddenSize, layers: try c.integer("num_hidden_layers"), heads: heads, keyValueHeads: heads,
      headDimension: try DecoderConfiguration.headDimension(c, hiddenSize: hiddenSize, heads: heads),
      intermediateSize: try c.integer("intermediate_size"), vocabularySize: try c.integer("vocab_size"),
      contextLength: try c.integer("max_position_embeddings"), residualFractionBits: 20,
      normEpsilon: try Epsilon.of(c, "layer_norm_eps", width: hiddenSize, default: "1e-12"), tiedEmbeddings: false,
      activation: try DecoderConfiguration.activation(c, "hidden_act", default: "gelu"),
      biases: [.query, .key, .value, .output, .up, .down],
      normalised: documents.modules?.normalised ?? true, pooling: documents.modules?.pooling ?? .mean)
    let reader = DecoderConfiguration(documents)
    return CheckpointConfiguration(
      model: model, tokens: try reader.tokens(required: false), queryScalar: Double(model.headDimension))
  }

  func recipe(for target: TensorName, _ config: ModelConfiguration) -> TensorRecipe {
    let kind = target.kind
    guard let n = target.layer else {
      switch target.part {
      case "embed_tokens": return .tensor("embeddings.word_embeddings.weight")
      case "embed_positions":
        var recipe = TensorRecipe.tensor("embeddings.position_embeddings.weight")
        recipe.firstRowOf = "embeddings.token_type_embeddings.weight"
        return recipe
      default: return norm("embeddings.LayerNorm", target)
      }
    }
    let layer = "encoder.layer.\(n)."
    switch target.part {
    case "q_proj": return .tensor("\(layer)attention.self.query.\(kind)")
    case "k_proj": return .tensor("\(layer)attention.self.key.\(kind)")
    case "v_proj": return .tensor("\(layer)attention.self.value.\(kind)")
    case "o_proj": return .tensor("\(layer)attention.output.dense.\(kind)")
    case "up_proj": return .tensor("\(layer)intermediate.dense.\(kind)")
    case "down_proj": return .tensor("\(layer)output.dense.\(kind)")
    case "attn_norm": return norm("\(layer)attention.output.LayerNorm", target)
    default: return norm("\(layer)output.LayerNorm", target)
    }
  }

  /// Checkpoints from TensorFlow call a norm's vectors otherwise.
  private func norm(_ name: String, _ target: TensorName) -> TensorRecipe {
    target.isBias ? .tensor("\(name).bias", "\(name).beta") : .tensor("\(name).weight", "\(name).gamma")
  }

  func canonical(_ name: String) -> String {
    name.utf8.starts(with: "bert.".utf8) ? String(decoding: name.utf8.dropFirst(5), as: UTF8.self) : name
  }

  /// What turns an encoder into a model of masked words or of pairs of sentences.
  func ignores(_ name: String) -> Bool {
    name.utf8.starts(with: "pooler.".utf8) || name.utf8.starts(with: "cls.".utf8)
      || name == "embeddings.position_ids"
  }
}
