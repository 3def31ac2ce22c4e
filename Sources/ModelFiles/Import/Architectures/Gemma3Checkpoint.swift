import Digests
import ModelGraph

/// Gemma 3: as Gemma 2, with norms of queries and keys instead of caps, and frequencies of their own in local
/// layers. Of models that also see, the text model.
struct Gemma3Checkpoint: GemmaFamily {
  let architecture = "gemma3"
  let classNames = ["Gemma3ForCausalLM", "Gemma3ForConditionalGeneration"]
  let modelTypes = ["gemma3_text", "gemma3"]

  func configuration(_ documents: CheckpointDocuments) throws(ImportRejection) -> CheckpointConfiguration {
    let c = try text(documents.config)
    var reader = DecoderConfiguration(c, generation: documents.generation)
    if c.path != documents.config.path {
      try documents.config.require("quantization_config", [])
      reader = DecoderConfiguration(c, generation: documents.generation, outer: documents.config)
    }
    var model = try gemma(reader)
    model.headNormEpsilon = try Epsilon.of(c, "rms_norm_eps", width: model.headDimension)
    try c.require("attn_logit_softcapping", [])
    model.logitsSoftcap = try cap(c, "final_logit_softcapping", default: nil, unit: 1, 65536)
    let pattern = try c.integer("sliding_window_pattern", default: 6)
    guard pattern >= 1 else { throw c.unsupported("sliding_window_pattern", found: "0", supported: "at least 1") }
    let window = try c.integer("sliding_window", default: 4096)
    try reader.setWindow(&model, window, readsTypes: true) { ($0 + 1) % pattern != 0 }
    let (rope, local) = try rotations(c)
    return CheckpointConfiguration(
      model: model, rope: rope, localRope: local, tokens: try reader.tokens(), queryScalar: try queryScalar(c))
  }

  /// The configuration of the text model, with the sizes that models with eyes leave out.
  private func text(_ config: HuggingFaceMembers) throws(ImportRejection) -> HuggingFaceMembers {
    guard config.value("model_type")?.string == "gemma3" else { return config }
    guard let inner = try config.members("text_config") else { throw config.missing("text_config") }
    var object = inner.object
    let defaults: [(String, JSON)] = [
      ("vocab_size", 262208), ("num_attention_heads", 8), ("num_key_value_heads", 4), ("head_dim", 256),
      ("max_position_embeddings", 131072), ("rms_norm_eps", .number(JSONNumber(validated: "1e-06"))),
    ]
    for (key, value) in defaults where inner.value(key) == nil { object[key] = value }
    return try HuggingFaceMembers(.object(object), file: config.file, path: "text_config")
  }

  /// One object for both types of layer, or one for each.
  private func rotations(
    _ c: HuggingFaceMembers
  ) throws(ImportRejection) -> (global: RopeDescription, local: RopeDescription) {
    let (globalTheta, localTheta) = (
      try c.number("rope_theta") ?? JSONNumber(1_000_000), try c.number("rope_local_base_freq") ?? JSONNumber(10000)
    )
    if let both = try c.members("rope_parameters"),
      both.value("full_attention") != nil || both.value("sliding_attention") != nil
    {
      try c.require("rope_scaling", [])
      return (
        try RopeDescription(try both.members("full_attention"), in: c, theta: globalTheta),
        try RopeDescription(try both.members("sliding_attention"), in: c, theta: localTheta)
      )
    }
    return (
      try RopeDescription(try RopeDescription.object(c), in: c, theta: globalTheta),
      try RopeDescription(nil, in: c, theta: localTheta)
    )
  }

  func canonical(_ name: String) -> String {
    for (prefix, short) in [
      ("language_model.model.", "model."), ("model.language_model.", "model."), ("language_model.lm_head.", "lm_head."),
    ] where name.utf8.starts(with: prefix.utf8) {
      return short + String(decoding: name.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
    }
    return name
  }

  func ignores(_ name: String) -> Bool {
    let start = name.utf8.starts(with: "model.".utf8) ? 6 : 0
    let rest = name.utf8.dropFirst(start)
    return rest.starts(with: "vision_tower.".utf8) || rest.starts(with: "multi_modal_projector.".utf8)
      || name.utf8.hasSuffix(".self_attn.rotary_emb.inv_freq")
  }
}
