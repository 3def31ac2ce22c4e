import Digests

/// The `config.json` that a GGUF file's metadata amounts to, and the numbers that tensors are translated with.
struct GGUFConfiguration {
  let architecture: GGUFArchitecture
  let hyperparameters: GGUFHyperparameters
  let heads: Int
  let keyValueHeads: Int
  let headDimension: Int
  let layers: Int
  /// 0 without experts.
  let experts: Int
  private let hiddenSize: Int

  init(_ metadata: GGUFMetadata) throws(GGUFRejection) {
    architecture = try GGUFArchitecture.of(metadata)
    let h = GGUFHyperparameters(metadata: metadata, architecture: architecture.name)
    hyperparameters = h
    hiddenSize = try h.required("embedding_length")
    layers = try h.required("block_count")
    heads = try h.required("attention.head_count")
    keyValueHeads = try h.integer("attention.head_count_kv") ?? heads
    experts = architecture.experts == nil ? 0 : try h.required("expert_count")
    if let stated = try h.integer("attention.key_length") {
      headDimension = stated
    } else {
      guard heads > 0, hiddenSize % heads == 0 else {
        throw .unsupportedValue(
          file: h.file, key: h.key("attention.head_count"), found: "\(heads)",
          supported: "a divisor of embedding_length, which is \(hiddenSize)")
      }
      headDimension = hiddenSize / heads
    }
    try h.require("attention.value_length", headDimension)
    for (key, n, max) in [
      ("embedding_length", hiddenSize, 1 << 20), ("attention.head_count", heads, 1 << 20),
      ("attention.head_count_kv", keyValueHeads, 1 << 20), ("attention.key_length", headDimension, 1 << 20),
      ("expert_count", experts, 4096), ("block_count", layers, 4096),
    ] where n > max {
      throw .unsupportedValue(file: h.file, key: h.key(key), found: "\(n)", supported: "at most \(max)")
    }
    let causal = try h.bool("attention.causal") ?? true
    guard causal != architecture.isEncoder else {
      throw .unsupportedValue(
        file: h.file, key: h.key("attention.causal"), found: "\(causal)", supported: "\(!architecture.isEncoder)")
    }
  }

  /// - Parameters:
  ///   - vocabularySize: rows of the embedding.
  ///   - tied: whether the file has no head of its own.
  func json(
    vocabularySize: Int, tied: Bool, endOfSequence: [Int], beginOfSequence: Int?, scaling: GGUFRopeScaling
  ) throws(GGUFRejection) -> JSONObject {
    let h = hyperparameters
    let contextLength = try h.required("context_length")
    var c = JSONObject()
    c["architectures"] = [.string(architecture.huggingFaceName)]
    c["model_type"] = .string(architecture.modelType)
    c["vocab_size"] = .integer(vocabularySize)
    c["hidden_size"] = .integer(hiddenSize)
    c["num_hidden_layers"] = .integer(layers)
    c["num_attention_heads"] = .integer(heads)
    c["intermediate_size"] = .integer(try h.required("feed_forward_length"))
    c["max_position_embeddings"] = .integer(contextLength)
    if architecture.isEncoder {
      try describeEncoder(&c)
      return c
    }
    c["num_key_value_heads"] = .integer(keyValueHeads)
    c["head_dim"] = .integer(headDimension)
    c["rms_norm_eps"] = .number(try h.requiredNumber("attention.layer_norm_rms_epsilon"))
    c["hidden_act"] = "silu"
    c["tie_word_embeddings"] = .bool(tied)
    if !endOfSequence.isEmpty { c["eos_token_id"] = .array(endOfSequence.map { .integer($0) }) }
    c["bos_token_id"] = beginOfSequence.map { .integer($0) }
    try describeRope(&c, contextLength: contextLength, scaling)
    switch architecture.modelType {
    case "mistral", "mixtral", "phi3": c["sliding_window"] = try window()
    case "qwen2", "qwen3", "qwen3_moe", "smollm3": c["use_sliding_window"] = false
    default: break
    }
    if experts > 0 { try describeExperts(&c) }
    if architecture.modelType == "smollm3" {
      // The file does not say which layers go without rope; all models of the family leave out every fourth.
      c["no_rope_layers"] = .array((0..<layers).map { $0 % 4 == 3 ? 0 : 1 })
      c["no_rope_layer_interval"] = 4
    }
    if architecture.shiftsNorms { try describeGemma(&c) }
    return c
  }

  /// Positions that a layer sees; null for all of them.
  private func window() throws(GGUFRejection) -> JSON {
    guard let window = try hyperparameters.integer("attention.sliding_window"), window > 0 else { return .null }
    return .integer(window)
  }

  private func describeRope(
    _ c: inout JSONObject, contextLength: Int, _ scaling: GGUFRopeScaling
  ) throws(GGUFRejection) {
    let h = hyperparameters
    let theta = try h.number("rope.freq_base") ?? JSONNumber(10000)
    let rotated = try h.integer("rope.dimension_count") ?? headDimension
    guard rotated > 0, rotated <= headDimension, rotated % 2 == 0 else {
      throw .unsupportedValue(
        file: h.file, key: h.key("rope.dimension_count"), found: "\(rotated)",
        supported: "an even number up to \(headDimension)")
    }
    c["rope_theta"] = .number(theta)
    c["rope_scaling"] = try scaling.json(theta: theta, rotated: rotated, contextLength: contextLength)
    if rotated != headDimension {
      c["partial_rotary_factor"] = .number(GGUFConfiguration.fraction(rotated, of: headDimension))
    }
    if architecture.modelType == "phi3" {
      c["original_max_position_embeddings"] =
        try h.integer("rope.scaling.original_context_length").map { .integer($0) }
    }
  }

  /// A decimal f with floor(whole · f) = part in binary64.
  private static func fraction(_ part: Int, of whole: Int) -> JSONNumber {
    let plain = Double(part) / Double(whole)
    let fits = Int(plain * Double(whole)) == part
    return JSONNumber(validated: (fits ? plain : (Double(part) + 0.5) / Double(whole)).description)
  }

  private func describeExperts(_ c: inout JSONObject) throws(GGUFRejection) {
    let h = hyperparameters
    c["num_experts_per_tok"] = .integer(try h.required("expert_used_count"))
    guard architecture.modelType == "qwen3_moe" else {
      c["num_local_experts"] = .integer(experts)
      return
    }
    // 1: softmax.
    try h.require("expert_gating_func", 1)
    c["num_experts"] = .integer(experts)
    c["moe_intermediate_size"] = .integer(try h.required("expert_feed_forward_length"))
    c["norm_topk_prob"] = true
    c["decoder_sparse_step"] = 1
    c["mlp_only_layers"] = []
  }

  private func describeGemma(_ c: inout JSONObject) throws(GGUFRejection) {
    let h = hyperparameters
    let isGemma3 = architecture.name == "gemma3"
    c["hidden_act"] = "gelu_pytorch_tanh"
    c["hidden_activation"] = "gelu_pytorch_tanh"
    // The files do not say it: the 27B models scale queries by the width per head, the others by their dimension.
    let scalesByWidth = layers == (isGemma3 ? 62 : 46) && heads > 0
    c["query_pre_attn_scalar"] = .integer(scalesByWidth ? hiddenSize / heads : headDimension)
    c["attn_logit_softcapping"] = try h.number("attn_logit_softcapping").map { .number($0) } ?? .null
    c["final_logit_softcapping"] = try h.number("final_logit_softcapping").map { .number($0) } ?? .null
    // Without a window Gemma 2 has its usual one, Gemma 3 none.
    let window = try h.integer("attention.sliding_window") ?? (isGemma3 ? 0 : 4096)
    c["sliding_window"] = window > 0 ? .integer(window) : .null
    let isLocal = try localLayers(period: isGemma3 ? 6 : 2)
    c["layer_types"] = .array(
      (0..<layers).map { window > 0 && isLocal[$0] ? "sliding_attention" : "full_attention" })
    guard isGemma3 else { return }
    c["rope_local_base_freq"] = .number(try h.number("rope.freq_base_swa") ?? JSONNumber(10000))
  }

  /// Which layers see only the window: all but the last of every period, or what the file lists.
  private func localLayers(period usual: Int) throws(GGUFRejection) -> [Bool] {
    let h = hyperparameters
    let key = h.key("attention.sliding_window_pattern")
    guard metadata.isArray(key) else {
      let period = try h.integer("attention.sliding_window_pattern") ?? usual
      return (0..<layers).map { period > 0 && $0 % period < period - 1 }
    }
    let list = try metadata.bools(key, countMax: 1 << 16) ?? []
    guard list.count == layers else {
      throw .wrongType(file: h.file, key: key, expected: "one boolean for each of \(layers) layers")
    }
    return list
  }

  private var metadata: GGUFMetadata { hyperparameters.metadata }

  // MARK: Encoders

  private func describeEncoder(_ c: inout JSONObject) throws(GGUFRejection) {
    let h = hyperparameters
    c["layer_norm_eps"] = .number(try h.requiredNumber("attention.layer_norm_epsilon"))
    c["hidden_act"] = "gelu"
    c["position_embedding_type"] = "absolute"
    guard keyValueHeads == heads else {
      throw .unsupportedValue(
        file: h.file, key: h.key("attention.head_count_kv"), found: "\(keyValueHeads)", supported: "\(heads)")
    }
  }

  /// What sentence-transformers keeps beside an encoder: how states become one vector. The file does not say
  /// that the vector is normalised; those who use such files do it.
  func sentenceTransformer() throws(GGUFRejection) -> [(name: String, json: JSON)] {
    guard architecture.isEncoder else { return [] }
    let h = hyperparameters
    // 0: none, 1: mean, 2: the first token, 3: the last.
    let pooling = try h.integer("pooling_type") ?? 0
    guard pooling <= 3 else {
      throw .unsupportedValue(
        file: h.file, key: h.key("pooling_type"), found: "\(pooling)", supported: "0, 1, 2 and 3")
    }
    guard pooling > 0 else { return [] }
    func module(_ index: Int, _ path: String, _ type: String) -> JSON {
      [
        "idx": .integer(index), "name": .string("\(index)"), "path": .string(path),
        "type": .string("sentence_transformers.models.\(type)"),
      ]
    }
    return [
      (
        "modules.json",
        [module(0, "", "Transformer"), module(1, "1_Pooling", "Pooling"), module(2, "2_Normalize", "Normalize")]
      ),
      (
        "1_Pooling/config.json",
        [
          "word_embedding_dimension": .integer(hiddenSize), "pooling_mode_mean_tokens": .bool(pooling == 1),
          "pooling_mode_cls_token": .bool(pooling == 2), "pooling_mode_lasttoken": .bool(pooling == 3),
        ]
      ),
    ]
  }
}
