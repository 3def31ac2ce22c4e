import ModelGraph

/// Phi-3, Phi-3.5 and Phi-4: fused projections, LongRoPE, partial rotation.
struct Phi3Checkpoint: DecoderFamily {
  let architecture = "phi3"
  let classNames = ["Phi3ForCausalLM"]
  let modelTypes = ["phi3"]

  func configuration(_ documents: CheckpointDocuments) throws(ImportRejection) -> CheckpointConfiguration {
    let (reader, c) = (DecoderConfiguration(documents), documents.config)
    var model = try reader.model()
    let window = c.value("sliding_window") == nil ? nil : try c.integer("sliding_window")
    try reader.setWindow(&model, window, readsTypes: false) { _ in true }
    let rope = try RopeDescription(c, theta: 10000, isLong: true, originalContext: 4096)
    model.contextLength = rope.contextLength ?? model.contextLength
    return CheckpointConfiguration(
      model: model, rope: rope, tokens: try reader.tokens(), queryScalar: Double(model.headDimension))
  }

  func layerRecipe(for target: TensorName, layer: String, _ config: ModelConfiguration) -> TensorRecipe {
    let (query, keyValue) = (config.heads * config.headDimension, config.keyValueHeads * config.headDimension)
    let hidden = config.intermediateSize
    let (projections, gateAndUp) = ("\(layer)self_attn.qkv_proj.weight", "\(layer)mlp.gate_up_proj.weight")
    let all = query + 2 * keyValue
    return switch target.part {
    case "q_proj": .rows(0..<query, of: all, projections)
    case "k_proj": .rows(query..<(query + keyValue), of: all, projections)
    case "v_proj": .rows((query + keyValue)..<all, of: all, projections)
    case "gate_proj": .rows(0..<hidden, of: 2 * hidden, gateAndUp)
    case "up_proj": .rows(hidden..<(2 * hidden), of: 2 * hidden, gateAndUp)
    default: plainLayerRecipe(for: target, layer: layer)
    }
  }
}
