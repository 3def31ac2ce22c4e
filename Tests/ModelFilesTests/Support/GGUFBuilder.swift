import Digests

/// A GGUF file in memory, to be changed and written.
struct GGUFBuilder {
  enum Value {
    case u8(UInt8), i8(Int8), u16(UInt16), i16(Int16), u32(UInt32), i32(Int32), u64(UInt64), i64(Int64)
    case f32(Float), f64(Double), bool(UInt8), string(String), bytes([UInt8])
    /// Element type, stated count and the elements' bytes.
    case array(UInt32, UInt64, [UInt8])
    case strings([String])
    case integers([Int32])
    /// A type number and whatever follows.
    case raw(UInt32, [UInt8])

    var type: UInt32 {
      switch self {
      case .u8: 0
      case .i8: 1
      case .u16: 2
      case .i16: 3
      case .u32: 4
      case .i32: 5
      case .f32: 6
      case .bool: 7
      case .string, .bytes: 8
      case .array, .strings, .integers: 9
      case .u64: 10
      case .i64: 11
      case .f64: 12
      case .raw(let type, _): type
      }
    }

    var payload: [UInt8] {
      switch self {
      case .u8(let x), .bool(let x): [x]
      case .i8(let x): [UInt8(bitPattern: x)]
      case .u16(let x): x.littleEndianBytes
      case .i16(let x): x.littleEndianBytes
      case .u32(let x): x.littleEndianBytes
      case .i32(let x): x.littleEndianBytes
      case .u64(let x): x.littleEndianBytes
      case .i64(let x): x.littleEndianBytes
      case .f32(let x): x.bitPattern.littleEndianBytes
      case .f64(let x): x.bitPattern.littleEndianBytes
      case .string(let x): GGUFBuilder.string(Array(x.utf8))
      case .bytes(let x): GGUFBuilder.string(x)
      case .array(let type, let count, let bytes): type.littleEndianBytes + count.littleEndianBytes + bytes
      case .strings(let list):
        Value.array(8, UInt64(list.count), list.flatMap { GGUFBuilder.string(Array($0.utf8)) }).payload
      case .integers(let list): Value.array(5, UInt64(list.count), list.flatMap(\.littleEndianBytes)).payload
      case .raw(_, let bytes): bytes
      }
    }
  }

  struct Tensor {
    var name: String
    /// Innermost first.
    var extents: [UInt64]
    /// Number of ggml's type.
    var type: UInt32
    var data: [UInt8]
    /// Nil: after the one before, aligned.
    var offset: UInt64?
  }

  var magic = Array("GGUF".utf8)
  var version: UInt32 = 3
  var alignment = 32
  var values: [(key: String, value: Value)]
  var tensors: [Tensor]
  /// Stated instead of the true counts.
  var tensorCount: UInt64?
  var keyCount: UInt64?

  static func string(_ bytes: [UInt8]) -> [UInt8] { UInt64(bytes.count).littleEndianBytes + bytes }

  func bytes() -> [UInt8] {
    var header = magic + version.littleEndianBytes
    header += (tensorCount ?? UInt64(tensors.count)).littleEndianBytes
    header += (keyCount ?? UInt64(values.count)).littleEndianBytes
    for (key, value) in values {
      header += GGUFBuilder.string(Array(key.utf8)) + value.type.littleEndianBytes + value.payload
    }
    var data: [UInt8] = []
    for tensor in tensors {
      data += [UInt8](repeating: 0, count: (alignment - data.count % alignment) % alignment)
      header += GGUFBuilder.string(Array(tensor.name.utf8)) + UInt32(tensor.extents.count).littleEndianBytes
      header += tensor.extents.flatMap(\.littleEndianBytes) + tensor.type.littleEndianBytes
      header += (tensor.offset ?? UInt64(data.count)).littleEndianBytes
      data += tensor.data
    }
    header += [UInt8](repeating: 0, count: (alignment - header.count % alignment) % alignment)
    return header + data
  }

  /// Sets a metadata value; nil removes it.
  mutating func set(_ key: String, _ value: Value?) {
    let at = values.firstIndex { $0.key == key }
    switch (at, value) {
    case (let i?, let value?): values[i].value = value
    case (let i?, nil): values.remove(at: i)
    case (nil, let value?): values.append((key, value))
    case (nil, nil): break
    }
  }

  mutating func tensor(_ name: String, _ change: (inout Tensor) -> Void) {
    guard let i = tensors.firstIndex(where: { $0.name == name }) else { return }
    change(&tensors[i])
  }

  /// The Llama of a ``ModelDirectory`` in binary32, rows of q and k interleaved as the converter does.
  init(_ directory: ModelDirectory = ModelDirectory(), architecture: String = "llama") {
    let c = directory.config
    func integer(_ key: String) -> Int { c[key]?.integer ?? 0 }
    let a = architecture
    values = [
      ("general.architecture", .string(a)), ("general.name", .string("Tiny")),
      ("\(a).context_length", .u32(UInt32(integer("max_position_embeddings")))),
      ("\(a).embedding_length", .u32(UInt32(integer("hidden_size")))),
      ("\(a).block_count", .u32(UInt32(integer("num_hidden_layers")))),
      ("\(a).feed_forward_length", .u32(UInt32(integer("intermediate_size")))),
      ("\(a).attention.head_count", .u32(UInt32(integer("num_attention_heads")))),
      ("\(a).attention.head_count_kv", .u32(UInt32(integer("num_key_value_heads")))),
      ("\(a).attention.key_length", .u32(UInt32(integer("head_dim")))),
      ("\(a).attention.value_length", .u32(UInt32(integer("head_dim")))),
      ("\(a).attention.layer_norm_rms_epsilon", .f32(1e-5)), ("\(a).rope.freq_base", .f32(10000)),
      ("\(a).rope.dimension_count", .u32(UInt32(integer("head_dim")))),
      ("\(a).vocab_size", .u32(UInt32(integer("vocab_size")))), ("tokenizer.ggml.model", .string("gpt2")),
      ("tokenizer.ggml.pre", .string("gpt-2")), ("tokenizer.ggml.tokens", .strings(["a", "b", "<|im_end|>"])),
      ("tokenizer.ggml.token_type", .integers([1, 1, 3])), ("tokenizer.ggml.merges", .strings(["a b"])),
      ("tokenizer.ggml.bos_token_id", .u32(1)), ("tokenizer.ggml.eos_token_id", .u32(2)),
      ("tokenizer.ggml.add_bos_token", .bool(0)), ("tokenizer.chat_template", .string("{{ messages }}")),
    ]
    let names = [
      "model.embed_tokens": "token_embd", "model.norm": "output_norm", "lm_head": "output",
      "input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
      "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm",
      "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down",
    ]
    tensors = directory.tensors.map { tensor in
      var parts = tensor.name.split(separator: ".").map(String.init)
      parts.removeLast()
      let isLayer = parts.count > 2
      let stem =
        isLayer ? "blk.\(parts[2])." + names[parts[3...].joined(separator: ".")]! : names[parts.joined(separator: ".")]!
      var values = tensor.values
      if stem.hasSuffix("attn_q") || stem.hasSuffix("attn_k") {
        values = GGUFBuilder.interleaved(values, columns: tensor.shape[1], headDimension: integer("head_dim"))
      }
      return Tensor(
        name: stem + ".weight", extents: tensor.shape.reversed().map { UInt64($0) }, type: 0,
        data: values.flatMap(\.bitPattern.littleEndianBytes))
    }
  }

  private static func interleaved(_ values: [Float], columns: Int, headDimension: Int) -> [Float] {
    var out: [Float] = []
    for row in 0..<(values.count / columns) {
      let (head, place) = (row / headDimension, row % headDimension)
      let from = head * headDimension + place % 2 * (headDimension / 2) + place / 2
      out += values[(from * columns)..<((from + 1) * columns)]
    }
    return out
  }
}
