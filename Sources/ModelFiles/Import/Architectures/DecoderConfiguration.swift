import Digests
import ModelGraph

/// Reads what the configurations of all decoders have in common.
struct DecoderConfiguration {
  let config: HuggingFaceMembers
  let generation: HuggingFaceMembers?
  /// Where ids of special tokens are looked for first, in order.
  var tokenPlaces: [HuggingFaceMembers]

  init(_ documents: CheckpointDocuments) {
    self.init(documents.config, generation: documents.generation)
  }

  init(_ config: HuggingFaceMembers, generation: HuggingFaceMembers?, outer: HuggingFaceMembers? = nil) {
    self.config = config
    self.generation = generation
    tokenPlaces = [generation, outer, config].compactMap { $0 }
  }

  /// The common part, without windows, biases and what only one family has.
  ///
  /// - Parameters:
  ///   - tied: whether embeddings are tied when the configuration does not say it.
  ///   - headDimension: when absent; nil for hidden size / heads.
  func model(
    tied: Bool = false, headDimension fallback: Int? = nil, intermediateKey: String = "intermediate_size",
    activationKey: String = "hidden_act", activation: String = "silu"
  ) throws(ImportRejection) -> ModelConfiguration {
    let c = config
    try c.require("quantization_config", [])
    try c.require("rope_interleaved", ["false"])
    let (hiddenSize, heads) = (try c.integer("hidden_size"), try c.integer("num_attention_heads"))
    var model = ModelConfiguration(
      hiddenSize: hiddenSize, layers: try c.integer("num_hidden_layers"), heads: heads,
      keyValueHeads: try c.integer("num_key_value_heads", default: heads),
      headDimension: try DecoderConfiguration.headDimension(c, hiddenSize: hiddenSize, heads: heads, fallback),
      intermediateSize: try c.integer(intermediateKey), vocabularySize: try c.integer("vocab_size"),
      contextLength: try c.integer("max_position_embeddings"), residualFractionBits: 20,
      normEpsilon: try Epsilon.of(c, "rms_norm_eps", width: hiddenSize),
      tiedEmbeddings: try c.bool("tie_word_embeddings", default: tied))
    model.activation = try DecoderConfiguration.activation(c, activationKey, default: activation)
    return model
  }

  static func headDimension(
    _ c: HuggingFaceMembers, hiddenSize: Int, heads: Int, _ fallback: Int? = nil
  ) throws(ImportRejection) -> Int {
    if c.value("head_dim") != nil { return try c.integer("head_dim") }
    if let fallback { return fallback }
    guard heads > 0, hiddenSize % heads == 0 else {
      throw c.unsupported("num_attention_heads", found: "\(heads)", supported: "a divisor of hidden_size")
    }
    return hiddenSize / heads
  }

  static func activation(
    _ c: HuggingFaceMembers, _ key: String, default fallback: String
  ) throws(ImportRejection) -> Activation {
    switch try c.string(key) ?? fallback {
    case "silu", "swish": return .silu
    case "gelu": return .gelu
    case "gelu_pytorch_tanh", "gelu_new", "gelu_fast": return .geluTanh
    case let other:
      throw c.unsupported(
        key, found: quoted(other), supported: "silu, swish, gelu, gelu_pytorch_tanh, gelu_new, gelu_fast")
    }
  }

  // MARK: Parts

  /// Projections with biases, by the flags for attention and MLP that the family reads.
  func biases(attention: Bool = true, mlp: Bool = false) throws(ImportRejection) -> Set<Projection> {
    var biases: Set<Projection> = []
    if attention, try config.bool("attention_bias", default: false) {
      biases.formUnion([.query, .key, .value, .output])
    }
    if mlp, try config.bool("mlp_bias", default: false) { biases.formUnion([.gate, .up, .down]) }
    return biases
  }

  /// Sets the window and the layers that have it.
  ///
  /// - Parameters:
  ///   - window: as the configuration has it; nil when there is none.
  ///   - isLocal: which layers are local when `layer_types` is absent.
  ///   - readsTypes: whether the family reads `layer_types`; otherwise it may only repeat what is so anyway.
  func setWindow(
    _ model: inout ModelConfiguration, _ window: Int?, readsTypes: Bool, isLocal: (Int) -> Bool
  ) throws(ImportRejection) {
    // Loops over layers must not be as long as a file likes.
    guard model.layers <= 1 << 16 else { return }
    var local = Set((0..<model.layers).filter { window != nil && isLocal($0) })
    if let types = try config.array("layer_types") {
      guard types.count == model.layers else {
        throw config.unsupported(
          "layer_types", found: "\(types.count) types", supported: "one for each of \(model.layers) layers")
      }
      for type in types where type.string != "full_attention" && type.string != "sliding_attention" {
        throw config.unsupported(
          "layer_types", found: HuggingFaceMembers.shown(type), supported: "full_attention, sliding_attention")
      }
      let stated = Set(types.indices.filter { types[$0].string == "sliding_attention" })
      guard readsTypes || stated == local else {
        throw config.unsupported(
          "layer_types", found: "sliding_attention in \(stated.count) layers",
          supported: "\(local.count) layers, as sliding_window says for this family")
      }
      local = stated
    }
    guard !local.isEmpty else { return }
    guard let window else { throw config.missing("sliding_window") }
    guard window >= 1 else {
      throw config.unsupported("sliding_window", found: "\(window)", supported: "at least 1")
    }
    model.window = window
    model.localLayers = local
  }

  /// `sliding_window` where `use_sliding_window` says that it counts.
  func switchedWindow() throws(ImportRejection) -> Int? {
    guard try config.bool("use_sliding_window", default: false) else { return nil }
    return config.value("sliding_window") == nil && config.states("sliding_window")
      ? nil : try config.integer("sliding_window", default: 4096)
  }

  func tokens(required: Bool = true) throws(ImportRejection) -> ModelManifest.SpecialTokens {
    let ends = try identifiers("eos_token_id")
    guard !ends.isEmpty || !required else { throw config.missing("eos_token_id") }
    let begins = try identifiers("bos_token_id")
    guard begins.count <= 1 else { throw config.wrongType("bos_token_id", "one token id") }
    return ModelManifest.SpecialTokens(
      endOfSequence: ends.map { Int32(clamping: $0) }, beginOfSequence: begins.first.map { Int32(clamping: $0) })
  }

  /// The first list of ids that one of the places has.
  private func identifiers(_ key: String) throws(ImportRejection) -> [Int] {
    for place in tokenPlaces {
      if let list = try place.identifiers(key) { return list }
    }
    return []
  }

  /// Everything of a decoder whose layers all rotate alike.
  func finished(
    _ model: ModelConfiguration, theta: Int = 10000, queryScalar: Double? = nil
  ) throws(ImportRejection) -> CheckpointConfiguration {
    let rope = try RopeDescription(config, theta: theta)
    var model = model
    model.contextLength = rope.contextLength ?? model.contextLength
    return CheckpointConfiguration(
      model: model, rope: rope, tokens: try tokens(), queryScalar: queryScalar ?? Double(model.headDimension))
  }
}

/// ε of norms: round(eps · width · 2^40), at least 1.
enum Epsilon {
  static func of(
    _ c: HuggingFaceMembers, _ key: String, width: Int, default fallback: String? = nil
  ) throws(ImportRejection) -> Int {
    guard let text = try c.number(key)?.text ?? fallback else { throw c.missing(key) }
    guard let eps = Double(text), eps >= 0, eps <= 1 else { throw c.unsupported(key, found: text, supported: "0 to 1") }
    let scaled = (eps * Double(width) * 0x1p40).rounded(.toNearestOrAwayFromZero)
    // Where it does not fit, the static bounds refuse it by name.
    return max(1, scaled < 0x1p62 ? Int(scaled) : 1 << 62)
  }
}
