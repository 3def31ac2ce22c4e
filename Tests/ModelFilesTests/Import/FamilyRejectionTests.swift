import Digests
import ModelFiles
import Testing

/// Whatever would change what a model computes and is not supported is refused, and the message names it.
@Suite struct FamilyRejectionTests {
  private func rejection(_ copy: CheckpointCopy) throws -> (any Error)? {
    do {
      _ = try HuggingFaceImporter(directory: copy.write().path)
      return nil
    } catch let error as ImportRejection { return error } catch let error as SafetensorsRejection { return error }
  }

  /// Fixture, key, value, and what the message must hold.
  @Test(arguments: [
    ("llama-llama3", "rope_parameters.rope_type", #""yarn""#, "rope_parameters.rope_type is \"yarn\""),
    ("llama-llama3", "rope_parameters.low_freq_factor", "5", "low_freq_factor"),
    ("llama-llama3", "rope_parameters.original_max_position_embeddings", "0", "original_max_position_embeddings"),
    ("llama-llama3", "rope_parameters.factor", "null", "rope_parameters.factor"),
    ("llama-llama3", "rope_parameters.mrope_section", "[8]", "mrope_section"),
    ("llama-llama3", "rope_parameters.partial_rotary_factor", "0.5", "partial_rotary_factor"),
    ("llama-llama3", "rope_scaling", #"{"type":"linear","factor":2}"#, "rope_scaling"),
    ("llama-llama3", "quantization_config", #"{"bits":4}"#, "quantization_config"),
    ("mistral", "sliding_window", "0", "sliding_window is 0"),
    ("mistral", "sliding_window", #""x""#, "sliding_window"),
    ("mistral", "layer_types", #"["full_attention","sliding_attention"]"#, "layer_types"),
    ("mistral", "layer_types", #"["sliding_attention"]"#, "layer_types is 1 types"),
    ("qwen2", "layer_types", #"["full_attention","chunked_attention"]"#, "chunked_attention"),
    ("qwen2", "use_sliding_window", "false", "sliding_window"),
    ("qwen2", "architectures", #"["Qwen2ForCausalLM","Other"]"#, "Other"),
    ("qwen2", "model_type", #""qwen3""#, "qwen3"), ("qwen3", "head_dim", "23", "headDimension"),
    ("qwen3", "hidden_act", #""relu""#, "relu"),
    ("smollm3", "no_rope_layers", "[1,0]", "no_rope_layers"),
    ("smollm3", "no_rope_layers", "[1,0,2]", "no_rope_layers"),
    ("smollm3", "no_rope_layers", #"[1,0,"x"]"#, "no_rope_layers"),
    ("gemma2", "hidden_activation", #""quick_gelu""#, "quick_gelu"),
    ("gemma2", "attn_logit_softcapping", "1e-3", "attentionSoftcap"),
    ("gemma2", "final_logit_softcapping", "1e20", "logitsSoftcap"),
    ("gemma2", "final_logit_softcapping", "-1", "final_logit_softcapping is -1"),
    ("gemma2", "query_pre_attn_scalar", "0", "query_pre_attn_scalar is 0"),
    ("gemma2", "use_bidirectional_attention", "true", "use_bidirectional_attention"),
    ("gemma2", "layer_types", #"["full_attention"]"#, "layer_types"),
    ("gemma3", "attn_logit_softcapping", "50", "attn_logit_softcapping is 50"),
    ("gemma3", "sliding_window_pattern", "0", "sliding_window_pattern"),
    ("gemma3", "rope_parameters.full_attention.rope_type", #""dynamic""#, "rope_parameters.full_attention.rope_type"),
    ("gemma3", "rope_parameters.sliding_attention", "7", "rope_parameters.sliding_attention"),
    ("gemma3", "rope_parameters.sliding_attention.rope_theta", "0.5", "rope_theta is 0.5"),
    ("gemma3", "rope_scaling", #"{"rope_type":"linear","factor":8}"#, "rope_scaling"),
    ("gemma3", "model_type", #""gemma3""#, "text_config"),
    ("phi3", "rope_parameters.partial_rotary_factor", "0.3", "partial_rotary_factor"),
    ("phi3", "rope_parameters.partial_rotary_factor", "1.5", "partial_rotary_factor"),
    ("phi3-longrope", "rope_parameters.short_factor", "[1]", "short_factor is 1 numbers"),
    ("phi3-longrope", "rope_parameters.short_factor", "[0,1,1,1,1,1,1,1,1]", "short_factor"),
    ("phi3-longrope", "rope_parameters.short_factor", "null", "short_factor"),
    ("phi3-longrope", "rope_parameters.factor", "-2", "factor is -2"),
    ("phi3-longrope", "rope_parameters.attention_factor", "0", "attention_factor"),
    ("phi3-longrope", "original_max_position_embeddings", "1", "original_max_position_embeddings"),
    ("mixtral", "num_local_experts", "2000", "experts"), ("mixtral", "num_experts_per_tok", "5", "expertsPerToken"),
    ("mixtral", "num_local_experts", "1000000000000", "experts"), ("mixtral", "num_experts_per_tok", "0", "xperts"),
    ("qwen3moe", "mlp_only_layers", "[0]", "mlp_only_layers is [0]"),
    ("qwen3moe", "decoder_sparse_step", "2", "decoder_sparse_step is 2"),
    ("qwen3moe", "norm_topk_prob", "1", "norm_topk_prob"),
    ("qwen3moe", "moe_intermediate_size", "null", "moe_intermediate_size"),
    ("bert-mean", "position_embedding_type", #""relative_key""#, "relative_key"),
    ("bert-mean", "is_decoder", "true", "is_decoder"), ("bert-mean", "hidden_act", #""relu""#, "relu"),
    ("bert-mean", "layer_norm_eps", "2", "layer_norm_eps"),
    ("bert-mean", "num_attention_heads", "5", "num_attention_heads"),
    ("bert-mean", "architectures", #"["BertForSequenceClassification"]"#, "BertForSequenceClassification"),
  ])
  func keys(_ fixture: String, _ key: String, _ value: String, _ word: String) throws {
    var copy = CheckpointCopy(fixture)
    copy.set(key, try JSON.parse(value))
    let found = try #require(try rejection(copy), "\(fixture): \(key) = \(value) was accepted")
    #expect("\(found)".contains(word), "\(found)")
  }

  @Test(arguments: [
    ("modules.json", "2.type", #""sentence_transformers.models.Dense""#, "Dense"),
    ("modules.json", "1.path", #""../x""#, "path"), ("modules.json", "0.path", #""sub""#, "path"),
    ("modules.json", "1.type", #""sentence_transformers.models.WeightedLayerPooling""#, "WeightedLayerPooling"),
    ("1_Pooling/config.json", "pooling_mode_cls_token", "true", "2 modes"),
    ("1_Pooling/config.json", "pooling_mode_mean_tokens", "false", "0 modes"),
    ("1_Pooling/config.json", "pooling_mode_max_tokens", "true", "pooling_mode_max_tokens"),
    ("1_Pooling/config.json", "pooling_mode_new", "true", "pooling_mode_new"),
  ])
  func modules(_ file: String, _ key: String, _ value: String, _ word: String) throws {
    var copy = CheckpointCopy("bert-mean")
    copy.set(key, try JSON.parse(value), in: file)
    let found = try #require(try rejection(copy), "\(file): \(key) = \(value) was accepted")
    #expect("\(found)".contains(word), "\(found)")
    var missing = CheckpointCopy("bert-mean")
    missing.replace("1_Pooling/config.json", nil)
    #expect("\(try rejection(missing) as (any Error)?)".contains("1_Pooling/config.json"))
  }

  @Test func tensorsOfOtherFamiliesAreRefused() throws {
    for (fixture, from, to) in [
      ("phi3", "qkv_proj", "q_proj"), ("gemma2", "pre_feedforward_layernorm", "ffn_norm"),
      ("mixtral", "experts.3.w2", "experts.4.w2"), ("qwen3", "q_norm", "query_norm"),
      ("bert-mean", "LayerNorm.weight", "LayerNorm.scale"),
    ] {
      var copy = CheckpointCopy(fixture)
      copy.renameTensors { $0.replacing(from, with: to) }
      let found = try #require(try rejection(copy))
      #expect("\(found)".contains(from) && "\(found)".contains("is missing"), "\(found)")
    }
    var copy = CheckpointCopy("qwen2")
    // Qwen2 has biases, a Llama of the same sizes does not say so.
    copy.set("architectures", ["LlamaForCausalLM"])
    copy.set("model_type", "llama")
    copy.set("use_sliding_window", false)
    copy.set("layer_types", nil)
    #expect("\(try #require(try rejection(copy)))".contains("not part of a model"))
  }
}
