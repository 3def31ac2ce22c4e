import Digests

import Tokenizers

/// Reads the key-value section of a GGUF file: as much as tests of vocabularies need.
struct GGUFMetadata {
  enum Value {
    case integer(Int)
    case bits(UInt32)
    case bool(Bool)
    case bytes([UInt8])
    case array([Value])

    var integer: Int? { if case .integer(let i) = self { i } else { nil } }
    var bits: UInt32? { if case .bits(let b) = self { b } else { nil } }
    var bool: Bool? { if case .bool(let b) = self { b } else { nil } }
    var bytes: [UInt8]? { if case .bytes(let b) = self { b } else { nil } }
    var array: [Value]? { if case .array(let a) = self { a } else { nil } }
  }

  struct Malformed: Error { let offset: Int }

  private(set) var values: [String: Value] = [:]
  private var reader: ByteReader

  init(_ bytes: [UInt8]) throws {
    reader = ByteReader(bytes)
    guard try reader.readInteger(UInt32.self) == 0x4655_4747, try reader.readInteger(UInt32.self) == 3 else {
      throw Malformed(offset: 0)
    }
    _ = try reader.readInteger(UInt64.self)
    let count = try reader.readInteger(UInt64.self)
    guard count <= 65536 else { throw Malformed(offset: reader.offset) }
    for _ in 0..<count {
      let key = String(decoding: try readBytes(), as: UTF8.self)
      values[key] = try readValue(try reader.readInteger(UInt32.self))
    }
  }

  private mutating func readBytes() throws -> [UInt8] {
    guard let count = Int(exactly: try reader.readInteger(UInt64.self)) else { throw Malformed(offset: reader.offset) }
    return Array(try reader.read(count: count))
  }

  private mutating func readValue(_ type: UInt32, isElement: Bool = false) throws -> Value {
    switch type {
    case 0: return .integer(Int(try reader.readInteger(UInt8.self)))
    case 1: return .integer(Int(try reader.readInteger(Int8.self)))
    case 2: return .integer(Int(try reader.readInteger(UInt16.self)))
    case 3: return .integer(Int(try reader.readInteger(Int16.self)))
    case 4: return .integer(Int(try reader.readInteger(UInt32.self)))
    case 5: return .integer(Int(try reader.readInteger(Int32.self)))
    case 6: return .bits(try reader.readInteger(UInt32.self))
    case 7: return .bool(try reader.readInteger(UInt8.self) != 0)
    case 8: return .bytes(try readBytes())
    case 9 where !isElement:
      let type = try reader.readInteger(UInt32.self)
      let count = try reader.readInteger(UInt64.self)
      guard count <= UInt64(reader.left) else { throw Malformed(offset: reader.offset) }
      var items: [Value] = []
      for _ in 0..<count { items.append(try readValue(type, isElement: true)) }
      return .array(items)
    case 10, 11, 12: return .integer(Int(truncatingIfNeeded: try reader.readInteger(UInt64.self)))
    default: throw Malformed(offset: reader.offset)
    }
  }

  func vocabulary() throws -> VocabularySource {
    func text(_ key: String) -> String? { values[key]?.bytes.map { String(decoding: $0, as: UTF8.self) } }
    guard let model = text("tokenizer.ggml.model"), let tokens = values["tokenizer.ggml.tokens"]?.array else {
      throw Malformed(offset: 0)
    }
    var source = VocabularySource(model: model, tokens: tokens.compactMap(\.bytes))
    source.preTokenizer = text("tokenizer.ggml.pre")
    source.scoreBits = values["tokenizer.ggml.scores"]?.array?.compactMap(\.bits) ?? []
    source.tokenTypes = values["tokenizer.ggml.token_type"]?.array?.compactMap(\.integer) ?? []
    source.merges = values["tokenizer.ggml.merges"]?.array?.compactMap(\.bytes) ?? []
    source.beginID = values["tokenizer.ggml.bos_token_id"]?.integer
    source.endID = values["tokenizer.ggml.eos_token_id"]?.integer
    source.unknownID = values["tokenizer.ggml.unknown_token_id"]?.integer
    source.separatorID = values["tokenizer.ggml.seperator_token_id"]?.integer
    source.addsBegin = values["tokenizer.ggml.add_bos_token"]?.bool
    source.addsEnd = values["tokenizer.ggml.add_eos_token"]?.bool
    source.addsSpacePrefix = values["tokenizer.ggml.add_space_prefix"]?.bool
    source.addsSeparator = values["tokenizer.ggml.add_sep_token"]?.bool
    source.removesExtraSpaces = values["tokenizer.ggml.remove_extra_whitespaces"]?.bool
    source.lowercases = values["tokenizer.ggml.normalizer.lowercase"]?.bool
    source.stripsAccents = values["tokenizer.ggml.normalizer.strip_accents"]?.bool
    source.characterMap = values["tokenizer.ggml.precompiled_charsmap"]?.array?
      .compactMap { $0.integer.map { UInt8(truncatingIfNeeded: $0) } }
    return source
  }
}
