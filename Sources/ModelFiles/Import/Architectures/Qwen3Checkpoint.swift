import ModelGraph

/// Qwen3: norms of queries and keys.
struct Qwen3Checkpoint: DecoderFamily {
  let architecture = "qwen3"
  let classNames = ["Qwen3ForCausalLM"]
  let modelTypes = ["qwen3"]

  func configuration(_ documents: CheckpointDocuments) throws(ImportRejection) -> CheckpointConfiguration {
    let reader = DecoderConfiguration(documents)
    var model = try reader.model(headDimension: 128)
    model.headNormEpsilon = try Epsilon.of(documents.config, "rms_norm_eps", width: model.headDimension)
    model.biases = try reader.biases()
    let first = try documents.config.integer("max_window_layers", default: 28)
    try reader.setWindow(&model, try reader.switchedWindow(), readsTypes: true) { $0 >= first }
    return try reader.finished(model)
  }
}
