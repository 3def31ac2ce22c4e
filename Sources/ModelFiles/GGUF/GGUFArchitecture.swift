/// How the models of one `general.architecture` are told in the words of a Hugging Face directory.
struct GGUFArchitecture: Sendable {
  /// `general.architecture`.
  let name: String
  /// `architectures` and `model_type` of `config.json`.
  var huggingFaceName: String
  var modelType: String
  /// Names of a block's tensors, without `.weight` and `.bias`: GGUF's after `blk.N.`, and what follows the
  /// layer's prefix.
  var layerNames: [String: String]
  /// Names of the tensors outside of blocks.
  var names: [String: String] = [
    "token_embd": "model.embed_tokens", "output_norm": "model.norm", "output": "lm_head",
  ]
  var layerPrefix = "model.layers."
  /// Where the experts are: the prefix before an expert's number and the names after it.
  var experts: (prefix: String, gate: String, up: String, down: String)?
  /// Whether the converter interleaved the two halves of every head's rows of q and k.
  var interleavesHeads = false
  /// Whether the converter stored 1 + w for the weights of norms.
  var shiftsNorms = false
  /// Metadata keys, without the architecture's prefix, beyond those that every architecture has.
  var keys: Set<String> = []
  /// Whether it is an encoder.
  var isEncoder = false

  private static let decoderLayer = [
    "attn_norm": "input_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
  ]
  private static let headNorms = ["attn_q_norm": "self_attn.q_norm", "attn_k_norm": "self_attn.k_norm"]
  private static let gemmaNorms = [
    "post_attention_norm": "post_attention_layernorm", "ffn_norm": "pre_feedforward_layernorm",
    "post_ffw_norm": "post_feedforward_layernorm",
  ]
  private static let gemmaKeys: Set = [
    "attn_logit_softcapping", "final_logit_softcapping", "attention.sliding_window",
    "attention.sliding_window_pattern", "rope.freq_base_swa",
  ]

  private static func merging(_ a: [String: String], _ b: [String: String]) -> [String: String] {
    a.merging(b) { $1 }
  }

  static let all: [GGUFArchitecture] = [
    GGUFArchitecture(
      name: "llama", huggingFaceName: "LlamaForCausalLM", modelType: "llama", layerNames: decoderLayer,
      interleavesHeads: true,
      keys: ["attention.sliding_window", "expert_count", "expert_used_count", "tensor_data_layout"]),
    GGUFArchitecture(name: "qwen2", huggingFaceName: "Qwen2ForCausalLM", modelType: "qwen2", layerNames: decoderLayer),
    GGUFArchitecture(
      name: "qwen3", huggingFaceName: "Qwen3ForCausalLM", modelType: "qwen3",
      layerNames: merging(decoderLayer, headNorms)),
    GGUFArchitecture(
      name: "qwen3moe", huggingFaceName: "Qwen3MoeForCausalLM", modelType: "qwen3_moe",
      layerNames: merging(merging(decoderLayer, headNorms), ["ffn_gate_inp": "mlp.gate"]),
      experts: ("mlp.experts.", "gate_proj", "up_proj", "down_proj"),
      keys: ["expert_count", "expert_used_count", "expert_feed_forward_length", "expert_gating_func"]),
    GGUFArchitecture(
      name: "smollm3", huggingFaceName: "SmolLM3ForCausalLM", modelType: "smollm3", layerNames: decoderLayer,
      interleavesHeads: true),
    GGUFArchitecture(
      name: "gemma2", huggingFaceName: "Gemma2ForCausalLM", modelType: "gemma2",
      layerNames: merging(decoderLayer, gemmaNorms), shiftsNorms: true, keys: gemmaKeys),
    GGUFArchitecture(
      name: "gemma3", huggingFaceName: "Gemma3ForCausalLM", modelType: "gemma3_text",
      layerNames: merging(merging(decoderLayer, headNorms), gemmaNorms), shiftsNorms: true, keys: gemmaKeys),
    GGUFArchitecture(
      name: "phi3", huggingFaceName: "Phi3ForCausalLM", modelType: "phi3",
      layerNames: [
        "attn_norm": "input_layernorm", "attn_qkv": "self_attn.qkv_proj", "attn_output": "self_attn.o_proj",
        "ffn_norm": "post_attention_layernorm", "ffn_up": "mlp.gate_up_proj", "ffn_down": "mlp.down_proj",
      ],
      keys: ["attention.sliding_window"]),
    GGUFArchitecture(
      name: "bert", huggingFaceName: "BertModel", modelType: "bert",
      layerNames: [
        "attn_q": "attention.self.query", "attn_k": "attention.self.key", "attn_v": "attention.self.value",
        "attn_output": "attention.output.dense", "attn_output_norm": "attention.output.LayerNorm",
        "ffn_up": "intermediate.dense", "ffn_down": "output.dense", "layer_output_norm": "output.LayerNorm",
      ],
      names: [
        "token_embd": "embeddings.word_embeddings", "position_embd": "embeddings.position_embeddings",
        "token_types": "embeddings.token_type_embeddings", "token_embd_norm": "embeddings.LayerNorm",
      ],
      layerPrefix: "encoder.layer.", keys: ["attention.layer_norm_epsilon"], isEncoder: true),
  ]

  /// The keys, without the architecture's prefix, that any file may have.
  private static let commonKeys: Set = [
    "vocab_size", "context_length", "embedding_length", "block_count", "feed_forward_length", "attention.head_count",
    "attention.head_count_kv", "attention.key_length", "attention.value_length", "attention.causal",
    "attention.layer_norm_rms_epsilon", "rope.dimension_count", "rope.freq_base", "rope.scale_linear",
    "rope.scaling.type", "rope.scaling.factor", "rope.scaling.attn_factor", "rope.scaling.original_context_length",
    "rope.scaling.finetuned", "rope.scaling.yarn_ext_factor", "rope.scaling.yarn_attn_factor",
    "rope.scaling.yarn_beta_fast", "rope.scaling.yarn_beta_slow", "pooling_type",
  ]

  /// The architecture of a file, adjusted to what it holds.
  ///
  /// - Throws: ``GGUFRejection`` for an unknown one, and for a key of it that might change what it computes.
  static func of(_ metadata: GGUFMetadata) throws(GGUFRejection) -> GGUFArchitecture {
    let key = "general.architecture"
    guard let name = try metadata.text(key) else { throw .missing(file: metadata.file, key: key) }
    guard var found = all.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) else {
      throw .unsupportedArchitecture(file: metadata.file, found: name, supported: all.map(\.name))
    }
    let prefix = found.name + "."
    for key in metadata.keys where key.utf8.starts(with: prefix.utf8) {
      let part = String(decoding: key.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
      guard commonKeys.contains(part) || found.keys.contains(part) else {
        throw .unknownKey(file: metadata.file, key: key)
      }
    }
    guard found.name == "llama" else { return found }
    // One name for three families.
    if let count = try metadata.integer("llama.expert_count"), count > 0 {
      found.huggingFaceName = "MixtralForCausalLM"
      found.modelType = "mixtral"
      found.layerNames["ffn_gate_inp"] = "block_sparse_moe.gate"
      found.experts = ("block_sparse_moe.experts.", "w1", "w3", "w2")
    } else if let window = try metadata.integer("llama.attention.sliding_window"), window > 0 {
      found.huggingFaceName = "MistralForCausalLM"
      found.modelType = "mistral"
    }
    return found
  }
}
