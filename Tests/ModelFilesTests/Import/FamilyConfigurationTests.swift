import Digests
import ModelFiles
import ModelGraph
import Testing

/// The same model in the different words that configurations and tensor names have had.
@Suite struct FamilyConfigurationTests {
  /// The manifest without what it was made from.
  private func manifest(_ copy: CheckpointCopy) throws -> ModelManifest {
    var manifest = try HuggingFaceImporter(directory: copy.write().path).convert { _ in }
    manifest.source.files = []
    return manifest
  }

  private func expectSame(_ fixture: String, _ change: (inout CheckpointCopy) throws -> Void) throws {
    let plain = CheckpointCopy(fixture)
    var changed = plain
    try change(&changed)
    #expect(try manifest(changed) == manifest(plain), "\(fixture)")
  }

  private func expectOther(_ fixture: String, _ change: (inout CheckpointCopy) throws -> Void) throws {
    let plain = CheckpointCopy(fixture)
    var changed = plain
    try change(&changed)
    #expect(try manifest(changed) != manifest(plain), "\(fixture)")
  }

  /// Before version 5 of transformers `rope_theta` and `rope_scaling` stood side by side.
  @Test(arguments: ["llama-llama3", "llama-linear", "phi3-longrope", "qwen2", "smollm3", "mixtral"])
  func oldRopeKeys(_ fixture: String) throws {
    try expectSame(fixture) { copy in
      var rope = try #require(copy.config["rope_parameters"]?.object)
      copy.set("rope_theta", rope["rope_theta"])
      rope["rope_theta"] = nil
      if let partial = rope["partial_rotary_factor"] {
        copy.set("partial_rotary_factor", partial)
        rope["partial_rotary_factor"] = nil
      }
      // `type` before `rope_type`; `su` before `longrope`.
      let type = try #require(rope["rope_type"]?.string)
      rope["rope_type"] = nil
      rope["type"] = .string(type == "longrope" ? "su" : type)
      copy.set("rope_parameters", nil)
      copy.set("rope_scaling", type == "default" ? .null : .object(rope))
    }
    try expectOther(fixture) { $0.set("rope_parameters.rope_theta", 4321) }
  }

  @Test func oldKeysOfGemma3() throws {
    try expectSame("gemma3") { copy in
      copy.set("rope_parameters", nil)
      copy.set("rope_theta", 100000)
      copy.set("rope_local_base_freq", 1000)
      copy.set("rope_scaling", ["rope_type": "linear", "factor": 8])
      copy.set("layer_types", nil)
      copy.set("sliding_window_pattern", 2)
      copy.set("tie_word_embeddings", nil)
    }
    let found = try manifest(CheckpointCopy("gemma3"))
    #expect(found.localRopeFrequencies?.count == found.ropeFrequencies.count)
    #expect(found.config.localLayers == [0, 2] && found.config.window == 24)
    try expectOther("gemma3") { $0.set("sliding_window", 25) }
  }

  /// A model that also sees: its text model is what is imported.
  @Test func gemma3WithEyes() throws {
    for (model, head, eyes) in [
      ("language_model.model.", "language_model.lm_head.", ""), ("model.language_model.", "lm_head.", "model."),
    ] {
      try expectSame("gemma3") { copy in
        var text = try #require(copy.config.object)
        text["model_type"] = "gemma3_text"
        for key in ["architectures", "eos_token_id", "bos_token_id"] { text[key] = nil }
        for key in ["vocab_size", "num_attention_heads"] { text[key] = copy.config[key] }
        copy.set("text_config", .object(text))
        copy.set("architectures", ["Gemma3ForConditionalGeneration"])
        copy.set("model_type", "gemma3")
        copy.set("vision_config", ["hidden_size": 1152])
        for key in ["hidden_size", "num_hidden_layers", "rope_parameters", "layer_types"] { copy.set(key, nil) }
        copy.renameTensors { name in
          name.replacing(/^model\./, with: model).replacing(/^lm_head\./, with: head)
        }
        copy.addTensor("\(eyes)vision_tower.vision_model.embeddings.position_embedding.weight", shape: [2, 2])
        copy.addTensor("\(eyes)multi_modal_projector.mm_soft_emb_norm.weight", shape: [3])
      }
    }
  }

  @Test func otherWordsForTheSame() throws {
    try expectSame("smollm3") { copy in
      copy.set("no_rope_layers", nil)
      copy.set("no_rope_layer_interval", 2)
    }
    try expectSame("mistral") { $0.set("layer_types", ["sliding_attention", "sliding_attention"]) }
    try expectSame("qwen2") { $0.set("layer_types", nil) }
    try expectSame("gemma2") { $0.set("layer_types", nil) }
    try expectOther("gemma2") { $0.set("layer_types", ["full_attention", "sliding_attention"]) }
    try expectSame("llama-linear") { $0.set("hidden_act", "swish") }
    try expectOther("llama-linear") { $0.set("hidden_act", "gelu") }
    let experts = try #require(CheckpointCopy("qwen3moe").config)
    for key in ["num_experts", "num_local_experts"] {
      try expectSame("qwen3moe") { copy in
        let count = experts["num_experts"] ?? experts["num_local_experts"]
        copy.set("num_experts", nil)
        copy.set("num_local_experts", nil)
        copy.set(key, count)
      }
    }
    try expectOther("qwen3moe") { $0.set("norm_topk_prob", false) }
    try expectOther("mixtral") { $0.set("num_experts_per_tok", 3) }
    try expectOther("qwen3") { $0.set("rms_norm_eps", try JSON.parse("1e-6")) }
  }

  @Test func absentKeysHaveTheFamilysDefaults() throws {
    // A window of 4096 as the first Mistral had it; null turns it off.
    var copy = CheckpointCopy("mistral")
    copy.set("sliding_window", nil)
    #expect(try manifest(copy).config.window == 4096)
    copy.set("sliding_window", .null)
    #expect(try manifest(copy).config.window == nil && manifest(copy).config.localLayers.isEmpty)
    copy = CheckpointCopy("gemma2")
    copy.set("attn_logit_softcapping", nil)
    copy.set("final_logit_softcapping", .null)
    let gemma = try manifest(copy).config
    // 50 · log2(e) · 4096.
    #expect(gemma.attentionSoftcap == 295_464 && gemma.logitsSoftcap == nil)
    // √96 · 2^14.
    #expect(gemma.embeddingScale == 160_530)
    copy = CheckpointCopy("smollm3")
    copy.set("tie_word_embeddings", nil)
    #expect(try manifest(copy).config.tiedEmbeddings)
  }

  @Test func longRopeEndsWhereItsFactorsDo() throws {
    let found = try manifest(CheckpointCopy("phi3-longrope"))
    #expect(found.config.contextLength == 256)
    // 0.75 of 24 elements rotate.
    #expect(found.ropeFrequencies.count == 9)
    // 16384 / 256, as it would be computed anyway.
    try expectSame("phi3-longrope") { $0.set("rope_parameters.factor", 64) }
    try expectOther("phi3-longrope") { $0.set("rope_parameters.attention_factor", 1) }
    try expectOther("phi3-longrope") { $0.set("rope_parameters.factor", 4) }
  }

  @Test func encodersHaveSeveralNames() throws {
    try expectSame("bert-mean") { copy in
      copy.renameTensors {
        "bert.\($0)".replacing("LayerNorm.weight", with: "LayerNorm.gamma")
          .replacing("LayerNorm.bias", with: "LayerNorm.beta")
      }
      copy.addTensor("bert.embeddings.position_ids", shape: [1, 96], type: "I64", bytes: 8)
      copy.addTensor("cls.predictions.bias", shape: [128])
    }
    var copy = CheckpointCopy("bert-cls")
    #expect(try manifest(copy).config.pooling == .cls && !manifest(copy).config.normalised)
    copy.replace("modules.json", nil)
    #expect(try manifest(copy).config.pooling == .mean && manifest(copy).config.normalised)
    copy = CheckpointCopy("bert-cls")
    copy.set("pooling_mode_cls_token", false, in: "1_Pooling/config.json")
    copy.set("pooling_mode_lasttoken", true, in: "1_Pooling/config.json")
    #expect(try manifest(copy).config.pooling == .last)
    let files = try HuggingFaceImporter(directory: CheckpointCopy("bert-mean").write().path).convert { _ in }.source
      .files
    #expect(
      files.map(\.name) == [
        "1_Pooling/config.json", "config.json", "model.safetensors", "modules.json", "tokenizer.json",
      ])
  }

  @Test func numbersThatAreNoNumbersAreRefusedWhereTheyCount() throws {
    var copy = CheckpointCopy("qwen3")
    copy.addTensor("model.layers.0.mlp.counts", shape: [2], type: "I32", bytes: 4)
    #expect(
      throws: SafetensorsRejection.unsupportedFormat(
        file: "model.safetensors", tensor: "model.layers.0.mlp.counts", found: "I32")
    ) { try manifest(copy) }
  }
}
