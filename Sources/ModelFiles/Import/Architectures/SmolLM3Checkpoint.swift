import Digests
import ModelGraph

/// SmolLM3: every so many layers one without rope.
struct SmolLM3Checkpoint: DecoderFamily {
  let architecture = "smollm3"
  let classNames = ["SmolLM3ForCausalLM"]
  let modelTypes = ["smollm3"]

  func configuration(_ documents: CheckpointDocuments) throws(ImportRejection) -> CheckpointConfiguration {
    let (reader, c) = (DecoderConfiguration(documents), documents.config)
    var model = try reader.model(tied: true)
    model.biases = try reader.biases(mlp: true)
    if model.layers <= 1 << 16 { model.ropelessLayers = try ropeless(c, layers: model.layers) }
    let without = model.ropelessLayers
    try reader.setWindow(&model, try reader.switchedWindow(), readsTypes: true) { without.contains($0) }
    return try reader.finished(model, theta: 2_000_000)
  }

  private func ropeless(_ c: HuggingFaceMembers, layers: Int) throws(ImportRejection) -> Set<Int> {
    let key = "no_rope_layers"
    guard let flags = try c.array(key) else {
      let interval = try c.integer("no_rope_layer_interval", default: 4)
      guard interval >= 1 else {
        throw c.unsupported("no_rope_layer_interval", found: "\(interval)", supported: "at least 1")
      }
      return Set((0..<layers).filter { ($0 + 1) % interval == 0 })
    }
    guard flags.count >= layers else {
      throw c.unsupported(key, found: "\(flags.count) numbers", supported: "one for each of \(layers) layers")
    }
    // 1 stands for rope.
    for flag in flags where flag.integer != 0 && flag.integer != 1 { throw c.wrongType(key, "an array of 0 and 1") }
    return Set((0..<layers).filter { flags[$0].integer == 0 })
  }
}
