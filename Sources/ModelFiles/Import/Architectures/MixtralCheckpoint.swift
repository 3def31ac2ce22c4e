import ModelGraph

/// Mixtral: Mistral with experts.
struct MixtralCheckpoint: DecoderFamily {
  let architecture = "mixtral"
  let classNames = ["MixtralForCausalLM"]
  let modelTypes = ["mixtral"]

  func configuration(_ documents: CheckpointDocuments) throws(ImportRejection) -> CheckpointConfiguration {
    let (reader, c) = (DecoderConfiguration(documents), documents.config)
    var model = try reader.model()
    model.experts = try c.integer("num_local_experts", default: 8)
    model.expertsPerToken = try c.integer("num_experts_per_tok", default: 2)
    let window = c.value("sliding_window") == nil ? nil : try c.integer("sliding_window")
    try reader.setWindow(&model, window, readsTypes: false) { _ in true }
    return try reader.finished(model, theta: 1_000_000)
  }

  func layerRecipe(for target: TensorName, layer: String, _ config: ModelConfiguration) -> TensorRecipe {
    let matrix: String
    switch target.part {
    case "router": return .tensor("\(layer)block_sparse_moe.gate.weight")
    case "experts.gate_proj": matrix = "w1"
    case "experts.up_proj": matrix = "w3"
    case "experts.down_proj": matrix = "w2"
    default: return plainLayerRecipe(for: target, layer: layer)
    }
    return .stack((0..<(config.experts ?? 0)).map { "\(layer)block_sparse_moe.experts.\($0).\(matrix).weight" })
  }
}
