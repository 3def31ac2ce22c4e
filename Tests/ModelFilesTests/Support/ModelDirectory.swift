import Digests

/// A Hugging Face directory in memory, to be changed and written.
struct ModelDirectory {
  struct Tensor {
    var name: String
    var shape: [Int]
    var values: [Float]
  }

  enum Format: String {
    case f32 = "F32"
    case f16 = "F16"
    case bf16 = "BF16"

    func bytes(_ x: Float) -> [UInt8] {
      switch self {
      case .f32: x.bitPattern.littleEndianBytes
      case .f16: Float16(x).bitPattern.littleEndianBytes
      case .bf16: UInt16(x.bitPattern >> 16).littleEndianBytes
      }
    }
  }

  var config: JSON
  var generation: JSON? = ["eos_token_id": [2, 0], "bos_token_id": 1]
  var tokenizer: JSON
  var tokenizerConfig: JSON? = ["chat_template": "{{ messages }}"]
  var tensors: [Tensor]
  var format = Format.f32
  /// 0: one file without an index.
  var shards = 0

  /// A random model whose weights all three formats hold exactly.
  init(
    hidden: Int = 16, layers: Int = 2, heads: Int = 2, keyValueHeads: Int = 1, headDimension: Int = 8,
    intermediate: Int = 24, vocabulary: Int = 32, tied: Bool = true, seed: UInt64 = 1
  ) {
    config = [
      "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
      "hidden_size": .integer(hidden), "num_hidden_layers": .integer(layers),
      "num_attention_heads": .integer(heads), "num_key_value_heads": .integer(keyValueHeads),
      "head_dim": .integer(headDimension), "intermediate_size": .integer(intermediate),
      "vocab_size": .integer(vocabulary), "max_position_embeddings": 128,
      "rms_norm_eps": try! JSON.parse("1e-05"), "rope_theta": try! JSON.parse("10000.0"), "rope_scaling": .null,
      "tie_word_embeddings": .bool(tied), "eos_token_id": 2, "bos_token_id": 1,
    ]
    tokenizer = [
      "model": ["type": "BPE", "vocab": ["a": 0, "b": 1, "c": 2], "merges": []], "added_tokens": [],
    ]
    var generator = SeededGenerator(seed: seed)
    func tensor(_ name: String, _ shape: Int..., gain: Bool = false) -> Tensor {
      let values = (0..<shape.reduce(1, *)).map { _ in
        // Seven significant bits, exponents -7…0: exact in bfloat16 and binary16.
        let x = Float(Int(generator.next() >> 57) - 64) / 64 * (gain ? 1 : Float(1 << (generator.next() >> 62)) / 16)
        return gain ? 1 + x / 4 : x
      }
      return Tensor(
        name: "model.\(name).weight", shape: shape, values: gain ? values.map { Float(Int($0 * 64)) / 64 } : values)
    }
    tensors = [tensor("embed_tokens", vocabulary, hidden)]
    for n in 0..<layers {
      let layer = "layers.\(n)"
      tensors += [
        tensor("\(layer).input_layernorm", hidden, gain: true),
        tensor("\(layer).self_attn.q_proj", heads * headDimension, hidden),
        tensor("\(layer).self_attn.k_proj", keyValueHeads * headDimension, hidden),
        tensor("\(layer).self_attn.v_proj", keyValueHeads * headDimension, hidden),
        tensor("\(layer).self_attn.o_proj", hidden, heads * headDimension),
        tensor("\(layer).post_attention_layernorm", hidden, gain: true),
        tensor("\(layer).mlp.gate_proj", intermediate, hidden),
        tensor("\(layer).mlp.up_proj", intermediate, hidden),
        tensor("\(layer).mlp.down_proj", hidden, intermediate),
      ]
    }
    tensors.append(tensor("norm", hidden, gain: true))
    if !tied {
      var head = tensor("lm_head", vocabulary, hidden)
      head.name = "lm_head.weight"
      tensors.append(head)
    }
  }

  /// Sets a member of config.json; nil removes it.
  mutating func set(_ key: String, _ value: JSON?) {
    guard var object = config.object else { return }
    object[key] = value
    config = .object(object)
  }

  static func safetensors(_ tensors: [Tensor], _ format: Format) -> [UInt8] {
    var header = JSONObject()
    var data: [UInt8] = []
    for tensor in tensors {
      let start = data.count
      for x in tensor.values { data += format.bytes(x) }
      header[tensor.name] = [
        "dtype": .string(format.rawValue), "shape": .array(tensor.shape.map { .integer($0) }),
        "data_offsets": [.integer(start), .integer(data.count)],
      ]
    }
    let text = Array(JSON.object(header).text().utf8)
    return UInt64(text.count).littleEndianBytes + text + data
  }

  /// Names and contents of all files.
  func files() -> [(name: String, bytes: [UInt8])] {
    var files = [
      (name: "config.json", bytes: Array(config.text().utf8)), ("tokenizer.json", Array(tokenizer.text().utf8)),
    ]
    if let generation { files.append(("generation_config.json", Array(generation.text().utf8))) }
    if let tokenizerConfig { files.append(("tokenizer_config.json", Array(tokenizerConfig.text().utf8))) }
    guard shards > 0 else {
      return files + [("model.safetensors", ModelDirectory.safetensors(tensors, format))]
    }
    var map = JSONObject()
    for shard in 0..<shards {
      let part = tensors.enumerated().filter { $0.offset % shards == shard }.map(\.element)
      let name = "model-\(shard).safetensors"
      for tensor in part { map[tensor.name] = .string(name) }
      files.append((name, ModelDirectory.safetensors(part, format)))
    }
    return files + [("model.safetensors.index.json", Array((["weight_map": .object(map)] as JSON).text().utf8))]
  }

  func write() -> TemporaryFolder {
    let folder = TemporaryFolder()
    for file in files() { folder.write(file.bytes, file.name) }
    return folder
  }
}
