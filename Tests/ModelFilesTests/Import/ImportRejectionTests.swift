import Digests
import ModelFiles
import ModelGraph
import Testing

@Suite struct ImportRejectionTests {
  private func rejection(_ directory: ModelDirectory) throws -> ImportRejection? {
    try rejection(directory.write())
  }

  private func rejection(_ folder: TemporaryFolder) throws -> ImportRejection? {
    do {
      _ = try HuggingFaceImporter(directory: folder.path).convert { _ in }
      return nil
    } catch let error as ImportRejection {
      return error
    }
  }

  /// Everything that would change what the model computes, with the word that the message must hold.
  @Test(arguments: [
    ("architectures", #"["FalconForCausalLM"]"#, "FalconForCausalLM"), ("architectures", "null", "architectures"),
    ("architectures", "[]", "architectures"), ("model_type", #""gemma""#, "gemma"),
    ("model_type", "null", "model_type"),
    ("hidden_act", #""relu""#, "relu"), ("hidden_act", "1", "hidden_act"), ("attention_bias", "1", "attention_bias"),
    ("quantization_config", #"{"bits":4}"#, "quantization_config"),
    ("sliding_window", "4096", "sliding_window is 4096"),
    ("partial_rotary_factor", "0.5", "partial_rotary_factor is 0.5"), ("rope_interleaved", "true", "rope_interleaved"),
    ("rope_scaling", #"{"rope_type":"llama3","factor":8.0}"#, "rope_scaling.low_freq_factor"),
    ("rope_scaling", #"{"type":"linear"}"#, "rope_scaling.factor"),
    ("rope_scaling", #"{"type":"linear","factor":0}"#, "rope_scaling.factor is 0"),
    ("rope_scaling", #"{"type":"linear","factor":0.1}"#, "rope_scaling.factor"),
    ("rope_scaling", #"{"type":"linear","factor":2,"mscale":2}"#, "rope_scaling.mscale is 2"),
    ("rope_scaling", #"{"type":"dynamic","factor":2.0}"#, "rope_scaling.type is \"dynamic\""),
    ("rope_scaling", #"{"rope_type":"longrope","short_factor":[1]}"#, "rope_scaling.short_factor is 1 numbers"),
    ("rope_scaling", #"{"factor":2.0}"#, "rope_scaling"), ("rope_scaling", "7", "rope_scaling"),
    ("rope_parameters", #"{"rope_type":"yarn"}"#, "yarn"), ("rope_parameters", #"{"rope_theta":"x"}"#, "rope_theta"),
    ("layer_types", #"["full_attention","sliding_attention"]"#, "sliding_attention"),
    ("hidden_size", "null", "hidden_size"), ("hidden_size", #""16""#, "hidden_size"),
    ("hidden_size", "-16", "hidden_size"),
    ("hidden_size", "16.5", "hidden_size"), ("hidden_size", "9223372036854775808", "hidden_size"),
    ("hidden_size", "1000000000000", "hiddenSize"), ("num_hidden_layers", "4000000000000000", "layers"),
    ("num_hidden_layers", "0", "layers"), ("num_attention_heads", "0", "heads"), ("head_dim", "7", "headDimension"),
    ("head_dim", "9223372036854775807", "headDimension"), ("num_key_value_heads", "0", "keyValueHeads"),
    ("vocab_size", "9000000000000000000", "vocabularySize"), ("max_position_embeddings", "1048577", "contextLength"),
    ("intermediate_size", "70000", "intermediateSize"), ("rms_norm_eps", "null", "rms_norm_eps"),
    ("rms_norm_eps", "-1", "rms_norm_eps"), ("rms_norm_eps", "1e309", "rms_norm_eps"),
    ("rms_norm_eps", "true", "rms_norm_eps"),
    ("rope_theta", "0", "rope_theta"), ("rope_theta", "1e300", "rope_theta"),
    ("tie_word_embeddings", "1", "tie_word_embeddings"),
    ("vocab_size", "2", "endOfSequence"), ("bos_token_id", "32", "beginOfSequence"),
    ("eos_token_id", "[99999999999]", "endOfSequence"),
    ("eos_token_id", #""x""#, "eos_token_id"), ("eos_token_id", "null", "eos_token_id"),
    ("eos_token_id", "[]", "eos_token_id"),
  ])
  func configurations(_ key: String, _ value: String, _ word: String) throws {
    var directory = ModelDirectory()
    directory.generation = nil
    directory.set(key, try JSON.parse(value))
    let found = try #require(try rejection(directory), "\(key) = \(value) was accepted")
    #expect("\(found)".contains(word), "\(found)")
  }

  @Test func tensorsAreChecked() throws {
    var directory = ModelDirectory()
    let last = directory.tensors.removeLast()
    #expect(try rejection(directory) == .missingTensor("model.norm.weight", file: "model.safetensors"))
    directory.tensors.append(last)
    directory.tensors.append(
      ModelDirectory.Tensor(name: "model.layers.0.self_attn.q_proj.bias", shape: [1], values: [0]))
    #expect(
      try rejection(directory) == .unexpectedTensor("model.layers.0.self_attn.q_proj.bias", file: "model.safetensors"))
    directory.tensors[directory.tensors.count - 1].name = "model.layers.0.self_attn.rotary_emb.inv_freq"
    #expect(try rejection(directory) == nil)
    directory.tensors[1].shape = [2, 8]
    #expect(
      try rejection(directory)
        == .wrongShape("model.layers.0.input_layernorm.weight", found: [2, 8], expected: [16]))
  }

  @Test(arguments: [Float.nan, .signalingNaN, .infinity, -.infinity])
  func valuesMustBeFinite(_ bad: Float) throws {
    for (index, element) in [(0, 511), (2, 37), (11, 15), (19, 0)] {
      for threads in [1, 3] {
        var directory = ModelDirectory()
        directory.tensors[index].values[element] = bad
        // A later one in the same tensor is not the one that is named.
        directory.tensors[index].values[directory.tensors[index].values.count - 1] = bad
        let folder = directory.write()
        #expect(
          throws: ImportRejection.notFinite(
            tensor: directory.tensors[index].name, element: element, file: "model.safetensors")
        ) {
          try HuggingFaceImporter(directory: folder.path, options: ImportOptions(threads: threads)).convert { _ in }
        }
      }
    }
  }

  @Test func shardsAreChecked() throws {
    var directory = ModelDirectory()
    directory.shards = 2
    func index(_ text: String) -> TemporaryFolder {
      let folder = directory.write()
      folder.write(Array(text.utf8), "model.safetensors.index.json")
      return folder
    }
    #expect(try rejection(directory) == nil)
    for text in [
      "{}", "[]", "{", #"{"weight_map":[]}"#, #"{"weight_map":{"a":1}}"#,
      #"{"weight_map":{"a":"../model-0.safetensors"}}"#,
      #"{"weight_map":{"a":"/etc/passwd"}}"#, #"{"weight_map":{"a":"model-7.safetensors"}}"#,
      #"{"weight_map":{"a":"model-0.safetensors"}}"#, #"{"weight_map":{}}"#,
    ] {
      #expect(try rejection(index(text)) != nil, "\(text)")
    }
    let folder = directory.write()
    folder.write(ModelDirectory.safetensors(directory.tensors, .f32), "model-1.safetensors")
    if case .unexpectedTensor(_, "model-1.safetensors")? = try rejection(folder) {
    } else {
      Issue.record("a tensor outside the index")
    }
  }

  @Test func filesMustBeThere() throws {
    #expect(throws: ImportRejection.notADirectory("/nowhere")) { try HuggingFaceImporter(directory: "/nowhere") }
    let empty = TemporaryFolder()
    if case .missingFile(let name, _)? = try rejection(empty) {
      #expect(name.hasSuffix("config.json"))
    } else {
      Issue.record("empty")
    }
    for missing in ["tokenizer.json", "model.safetensors"] {
      let folder = TemporaryFolder()
      for file in ModelDirectory().files() where file.name != missing { folder.write(file.bytes, file.name) }
      if case .missingFile(let name, _)? = try rejection(folder) {
        #expect(name.hasSuffix(missing))
      } else {
        Issue.record("\(missing)")
      }
    }
    let folder = ModelDirectory().write()
    folder.write([UInt8](repeating: 0x20, count: (1 << 20) + 1), "config.json")
    #expect(throws: FileTooLarge.self) { try HuggingFaceImporter(directory: folder.path) }
    let template = ModelDirectory().write()
    template.write([0xFF, 0xFE], "chat_template.jinja")
    #expect(try rejection(template) == .notUTF8(file: "chat_template.jinja"))
  }

  @Test func tokenizersMustFit() throws {
    var directory = ModelDirectory()
    func tokenizer(_ text: String) throws -> ImportRejection? {
      directory.tokenizer = try JSON.parse(text)
      return try rejection(directory)
    }
    #expect(try tokenizer(#"{"model":{"vocab":{"x":31}}}"#) == nil)
    #expect(try tokenizer(#"{"model":{"vocab":{"x":32}}}"#) == .vocabulary(token: "x", id: 32, vocabularySize: 32))
    #expect(
      try tokenizer(#"{"model":{"vocab":{}},"added_tokens":[{"content":"<s>","id":40}]}"#)
        == .vocabulary(token: "<s>", id: 40, vocabularySize: 32))
    #expect(try tokenizer(#"{"model":{"vocab":[["a",0.5],["b",1]]}}"#) == nil)
    for text in [
      "7", "{}", #"{"model":{}}"#, #"{"model":{"vocab":7}}"#, #"{"model":{"vocab":{"x":-1}}}"#,
      #"{"model":{"vocab":{"x":"1"}}}"#,
    ] {
      #expect(try tokenizer(text) != nil, "\(text)")
    }
    struct Unusable: Error {}
    #expect(throws: Unusable.self) {
      try HuggingFaceImporter(
        directory: ModelDirectory().write().path, options: ImportOptions(checkTokenizer: { _, _ in throw Unusable() }))
    }
  }
}
