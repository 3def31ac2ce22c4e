import ModelGraph

/// One tensor of the model and the tensor it is made from.
struct TensorPlan {
  let target: TensorShape
  let source: SourceTensor
  /// Multiplied into the scale of every row.
  let factor: Double

  /// Matches the source's tensors with those that the architecture needs.
  ///
  /// - Parameter place: where tensors are looked for, for messages.
  /// - Returns: in the manifest's order.
  static func make(
    for config: ModelConfiguration, from tensors: [SourceTensor], place: String
  ) throws(ImportRejection) -> [TensorPlan] {
    var sources: [NameBytes: SourceTensor] = [:]
    for tensor in tensors {
      if let other = sources.updateValue(tensor, forKey: NameBytes(tensor.name)) {
        throw .duplicateTensor(tensor.name, files: [other.file, tensor.file])
      }
    }
    // Tied weights may be stored under either name, or under both.
    let (embedding, head) = ("model.embed_tokens.weight", "lm_head.weight")
    if config.tiedEmbeddings, let stored = sources[NameBytes(head)] {
      if let other = sources[NameBytes(embedding)] {
        guard stored.isStoredLike(other) else { throw .untied(head) }
      } else {
        sources[NameBytes(embedding)] = stored
      }
      sources[NameBytes(head)] = nil
    }
    // log2(e) / √hd, so that attention scores are exponents of two.
    let queryFactor = 1.4426950408889634 / Double(config.headDimension).squareRoot()
    guard let architecture = Architectures.all["llama"] else { preconditionFailure("llama is a known architecture") }
    var plans: [TensorPlan] = []
    for target in architecture.tensors(config).sorted(by: { FileSystem.precedes($0.name, $1.name) }) {
      let name = sourceName(target.name, tied: config.tiedEmbeddings)
      guard let source = sources.removeValue(forKey: NameBytes(name)) else {
        throw .missingTensor(name, file: place)
      }
      guard source.shape == target.shape else {
        throw .wrongShape(name, found: source.shape, expected: target.shape)
      }
      plans.append(
        TensorPlan(target: target, source: source, factor: target.name.utf8.hasSuffix(".q_proj") ? queryFactor : 1))
    }
    // Old checkpoints store what rope_theta already says.
    let extra = sources.values.filter { !$0.name.utf8.hasSuffix(".self_attn.rotary_emb.inv_freq") }
    if let first = extra.min(by: { FileSystem.precedes($0.name, $1.name) }) {
      throw .unexpectedTensor(first.name, file: first.file)
    }
    return plans
  }

  /// The name that Llama checkpoints give a tensor of docs/spec/model.md.
  private static func sourceName(_ name: String, tied: Bool) -> String {
    switch name {
    case "lm_head": return tied ? "model.embed_tokens.weight" : "lm_head.weight"
    case "embed_tokens", "norm": return "model.\(name).weight"
    default:
      let parts = name.split(separator: ".")
      let part = String(parts[2])
      let group =
        switch part {
        case "q_proj", "k_proj", "v_proj", "o_proj": "self_attn.\(part)"
        case "gate_proj", "up_proj", "down_proj": "mlp.\(part)"
        default: part
        }
      return "model.layers.\(parts[1]).\(group).weight"
    }
  }
}

/// A name compared byte by byte, as `String` does not.
private struct NameBytes: Hashable {
  let bytes: [UInt8]
  init(_ name: String) { bytes = Array(name.utf8) }
}
