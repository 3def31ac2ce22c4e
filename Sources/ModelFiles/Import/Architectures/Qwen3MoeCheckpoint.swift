import ModelGraph

/// Qwen3 with experts in every layer.
struct Qwen3MoeCheckpoint: DecoderFamily {
  let architecture = "qwen3moe"
  let classNames = ["Qwen3MoeForCausalLM"]
  let modelTypes = ["qwen3_moe"]

  func configuration(_ documents: CheckpointDocuments) throws(ImportRejection) -> CheckpointConfiguration {
    let (reader, c) = (DecoderConfiguration(documents), documents.config)
    try c.require("decoder_sparse_step", ["1"])
    try c.require("mlp_only_layers", ["[]"])
    var model = try reader.model(intermediateKey: "moe_intermediate_size")
    model.headNormEpsilon = try Epsilon.of(c, "rms_norm_eps", width: model.headDimension)
    model.biases = try reader.biases()
    // transformers has had both names.
    let (usual, other) = ("num_experts", "num_local_experts")
    let experts = try c.integer(c.value(usual) == nil && c.value(other) != nil ? other : usual)
    if c.value(other) != nil { try c.require(other, ["\(experts)"]) }
    model.experts = experts
    model.expertsPerToken = try c.integer("num_experts_per_tok")
    model.expertSharesOfAll = try !c.bool("norm_topk_prob", default: false)
    try reader.setWindow(&model, try reader.switchedWindow(), readsTypes: false) { _ in true }
    return try reader.finished(model)
  }

  func layerRecipe(for target: TensorName, layer: String, _ config: ModelConfiguration) -> TensorRecipe {
    switch target.part {
    case "router": .tensor("\(layer)mlp.gate.weight")
    case "experts.gate_proj", "experts.up_proj", "experts.down_proj":
      .stack(
        (0..<(config.experts ?? 0)).map { "\(layer)mlp.experts.\($0).\(target.part.dropFirst(8)).weight" })
    default: plainLayerRecipe(for: target, layer: layer)
    }
  }
}
