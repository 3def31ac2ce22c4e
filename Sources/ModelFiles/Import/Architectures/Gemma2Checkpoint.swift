import ModelGraph

/// Gemma 2: norms before and after, caps, windows in every second layer.
struct Gemma2Checkpoint: GemmaFamily {
  let architecture = "gemma2"
  let classNames = ["Gemma2ForCausalLM"]
  let modelTypes = ["gemma2"]

  func configuration(_ documents: CheckpointDocuments) throws(ImportRejection) -> CheckpointConfiguration {
    let (reader, c) = (DecoderConfiguration(documents), documents.config)
    var model = try gemma(reader)
    model.attentionSoftcap = try cap(c, "attn_logit_softcapping", default: 50, unit: 1.4426950408889634, 4096)
    model.logitsSoftcap = try cap(c, "final_logit_softcapping", default: 30, unit: 1, 65536)
    try reader.setWindow(&model, try c.integer("sliding_window", default: 4096), readsTypes: true) { $0 % 2 == 0 }
    return try reader.finished(model, queryScalar: try queryScalar(c))
  }
}

/// What Gemma 2 and 3 share. Gains are stored less 1.
protocol GemmaFamily: DecoderFamily {}

extension GemmaFamily {
  func gemma(_ reader: DecoderConfiguration) throws(ImportRejection) -> ModelConfiguration {
    try reader.config.require("use_bidirectional_attention", ["false"])
    var model = try reader.model(
      tied: true, headDimension: 256, activationKey: "hidden_activation", activation: "gelu_pytorch_tanh")
    model.biases = try reader.biases()
    let scale = Int((Double(model.hiddenSize).squareRoot() * 0x1p14).rounded(.toNearestOrAwayFromZero))
    model.embeddingScale = scale == 1 << 14 ? nil : scale
    return model
  }

  func queryScalar(_ c: HuggingFaceMembers) throws(ImportRejection) -> Double {
    try c.positive("query_pre_attn_scalar") ?? 256
  }

  /// round(cap · unit · scale); null says that there is none.
  func cap(
    _ c: HuggingFaceMembers, _ key: String, default fallback: Double?, unit: Double, _ scale: Double
  ) throws(ImportRejection) -> Int? {
    guard let cap = try c.positive(key) ?? (c.states(key) ? nil : fallback) else { return nil }
    let scaled = (cap * unit * scale).rounded(.toNearestOrAwayFromZero)
    // Where it does not fit, the static bounds refuse it by name.
    return scaled < 0x1p52 ? Int(scaled) : 1 << 52
  }

  func recipe(for target: TensorName, _ config: ModelConfiguration) -> TensorRecipe {
    var recipe = decoderRecipe(for: target, config)
    if target.part.utf8.hasSuffix("norm") { recipe.addend = 1 }
    return recipe
  }

  func layerRecipe(for target: TensorName, layer: String, _ config: ModelConfiguration) -> TensorRecipe {
    switch target.part {
    case "post_attention_norm": .tensor("\(layer)post_attention_layernorm.weight")
    case "post_attention_layernorm": .tensor("\(layer)pre_feedforward_layernorm.weight")
    case "post_feedforward_norm": .tensor("\(layer)post_feedforward_layernorm.weight")
    default: plainLayerRecipe(for: target, layer: layer)
    }
  }
}
