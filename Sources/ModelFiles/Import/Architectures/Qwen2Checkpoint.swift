import ModelGraph

/// Qwen2 and Qwen2.5: biases of queries, keys and values.
struct Qwen2Checkpoint: DecoderFamily {
  let architecture = "qwen2"
  let classNames = ["Qwen2ForCausalLM"]
  let modelTypes = ["qwen2"]

  func configuration(_ documents: CheckpointDocuments) throws(ImportRejection) -> CheckpointConfiguration {
    let reader = DecoderConfiguration(documents)
    var model = try reader.model()
    model.biases = [.query, .key, .value]
    let first = try documents.config.integer("max_window_layers", default: 28)
    try reader.setWindow(&model, try reader.switchedWindow(), readsTypes: true) { $0 >= first }
    return try reader.finished(model)
  }
}
