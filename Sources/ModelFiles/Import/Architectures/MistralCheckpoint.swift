import ModelGraph

/// Mistral: a window in all layers.
struct MistralCheckpoint: DecoderFamily {
  let architecture = "mistral"
  let classNames = ["MistralForCausalLM"]
  let modelTypes = ["mistral"]

  func configuration(_ documents: CheckpointDocuments) throws(ImportRejection) -> CheckpointConfiguration {
    let reader = DecoderConfiguration(documents)
    var model = try reader.model()
    // Null turns the window off; a configuration of the first release need not mention it.
    let c = documents.config
    let window =
      c.states("sliding_window") && c.value("sliding_window") == nil
      ? nil : try c.integer("sliding_window", default: 4096)
    try reader.setWindow(&model, window, readsTypes: false) { _ in true }
    return try reader.finished(model)
  }
}
