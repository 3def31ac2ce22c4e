import Digests
import ModelGraph

/// Llama 2 and 3, SmolLM2 and everything else that is a Llama.
struct LlamaCheckpoint: DecoderFamily {
  let architecture = "llama"
  let classNames = ["LlamaForCausalLM"]
  let modelTypes = ["llama"]

  func configuration(_ documents: CheckpointDocuments) throws(ImportRejection) -> CheckpointConfiguration {
    let reader = DecoderConfiguration(documents)
    var model = try reader.model()
    model.biases = try reader.biases(mlp: true)
    if documents.config.value("use_sliding_window")?.bool != false {
      try documents.config.require("sliding_window", [])
    }
    try reader.setWindow(&model, nil, readsTypes: false) { _ in false }
    return try reader.finished(model)
  }
}
