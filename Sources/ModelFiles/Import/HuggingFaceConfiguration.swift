import Digests

/// The part of `config.json` and `generation_config.json` that a Llama-family decoder is made of.
///
/// Everything that would change the computation and is not supported is refused by name; keys that
/// Llama models do not read are ignored, as they are by the code that trained the model.
struct HuggingFaceConfiguration: Sendable, Equatable {
  static let bytesMax = 1 << 20

  var hiddenSize: Int
  var layers: Int
  var heads: Int
  var keyValueHeads: Int
  var headDimension: Int
  var intermediateSize: Int
  var vocabularySize: Int
  var contextLength: Int
  var tiedEmbeddings: Bool
  /// The decimal text of rms_norm_eps.
  var normEpsilon: JSONNumber
  /// The decimal text of rope_theta.
  var ropeTheta: JSONNumber
  var endOfSequence: [Int]
  var beginOfSequence: Int?

  /// - Parameter file: what messages call the configuration.
  init(config: [UInt8], generation: [UInt8]?, file: String = "config.json") throws(ImportRejection) {
    let c = try HuggingFaceMembers(config, file: file)
    try HuggingFaceConfiguration.refuseUnsupported(c)
    hiddenSize = try c.integer("hidden_size")
    layers = try c.integer("num_hidden_layers")
    heads = try c.integer("num_attention_heads")
    keyValueHeads = try c.integer("num_key_value_heads", default: heads)
    intermediateSize = try c.integer("intermediate_size")
    vocabularySize = try c.integer("vocab_size")
    contextLength = try c.integer("max_position_embeddings")
    tiedEmbeddings = try c.bool("tie_word_embeddings", default: false)
    if c.value("head_dim") != nil {
      headDimension = try c.integer("head_dim")
    } else {
      guard heads > 0, hiddenSize % heads == 0 else {
        throw .unsupportedValue(
          file: c.file, key: "num_attention_heads", found: "\(heads)", supported: "a divisor of hidden_size")
      }
      headDimension = hiddenSize / heads
    }
    normEpsilon = try c.number("rms_norm_eps")
    ropeTheta = try HuggingFaceConfiguration.theta(c)

    // What generation_config.json says goes before config.json.
    var places = [c]
    if let generation { places.insert(try HuggingFaceMembers(generation, file: "generation_config.json"), at: 0) }
    endOfSequence = try HuggingFaceConfiguration.identifiers("eos_token_id", in: places)
    guard !endOfSequence.isEmpty else { throw .missingValue(file: c.file, key: "eos_token_id") }
    let begins = try HuggingFaceConfiguration.identifiers("bos_token_id", in: places)
    guard begins.count <= 1 else { throw .wrongType(file: c.file, key: "bos_token_id", expected: "one token id") }
    beginOfSequence = begins.first
  }

  /// The first list of ids that one of `places` has.
  private static func identifiers(_ key: String, in places: [HuggingFaceMembers]) throws(ImportRejection) -> [Int] {
    for place in places {
      if let list = try place.identifiers(key) { return list }
    }
    return []
  }

  /// Newer configurations keep rope_theta inside rope_parameters.
  private static func theta(_ c: HuggingFaceMembers) throws(ImportRejection) -> JSONNumber {
    let inner = c.value("rope_parameters")?["rope_theta"]
    if let inner, !inner.isNull {
      guard let number = inner.number else {
        throw .wrongType(file: c.file, key: "rope_parameters.rope_theta", expected: "a number")
      }
      return number
    }
    return c.value("rope_theta") == nil ? JSONNumber(10000) : try c.number("rope_theta")
  }

  private static func refuseUnsupported(_ c: HuggingFaceMembers) throws(ImportRejection) {
    let supported = ["LlamaForCausalLM", "MistralForCausalLM"]
    guard let names = c.value("architectures")?.array?.compactMap(\.string), !names.isEmpty else {
      throw .missingValue(file: c.file, key: "architectures")
    }
    for name in names where !supported.contains(name) {
      throw .unsupportedValue(
        file: c.file, key: "architectures", found: quoted(name), supported: supported.joined(separator: ", "))
    }
    try c.require("model_type", ["\"llama\"", "\"mistral\""], missing: false)
    try c.require("hidden_act", ["\"silu\""])
    try c.require("attention_bias", ["false"])
    try c.require("mlp_bias", ["false"])
    try c.require("quantization_config", [])
    try c.require("partial_rotary_factor", ["1", "1.0"])
    try c.require("rope_interleaved", ["false"])
    if c.value("use_sliding_window")?.bool != false { try c.require("sliding_window", []) }
    for kind in c.value("layer_types")?.array ?? [] where kind.string != "full_attention" {
      throw .unsupportedValue(
        file: c.file, key: "layer_types", found: HuggingFaceMembers.shown(kind), supported: "full_attention")
    }
    for key in ["rope_scaling", "rope_parameters"] {
      guard let scaling = c.value(key) else { continue }
      guard scaling.object != nil else { throw .wrongType(file: c.file, key: key, expected: "an object or null") }
      for name in ["rope_type", "type"] {
        guard let type = scaling[name], !type.isNull, type.string != "default" else { continue }
        throw .unsupportedValue(
          file: c.file, key: "\(key).\(name)", found: HuggingFaceMembers.shown(type), supported: "\"default\"")
      }
      if key == "rope_scaling", scaling["rope_type"] == nil, scaling["type"] == nil {
        throw .unsupportedValue(file: c.file, key: key, found: HuggingFaceMembers.shown(scaling), supported: "null")
      }
    }
  }
}

/// The members of one of a model directory's JSON objects; null counts as absent.
struct HuggingFaceMembers {
  let object: JSONObject
  let file: String

  init(_ bytes: [UInt8], file: String) throws(ImportRejection) {
    let json: JSON
    do throws(JSONError) {
      json = try JSON.parse(bytes, bytesMax: HuggingFaceConfiguration.bytesMax)
    } catch {
      throw .json(file: file, error)
    }
    guard let object = json.object else { throw .wrongType(file: file, key: "the content", expected: "an object") }
    self.object = object
    self.file = file
  }

  func value(_ key: String) -> JSON? {
    guard let value = object[key], !value.isNull else { return nil }
    return value
  }

  func integer(_ key: String, default fallback: Int? = nil) throws(ImportRejection) -> Int {
    guard let value = value(key) else {
      guard let fallback else { throw .missingValue(file: file, key: key) }
      return fallback
    }
    guard let n = value.integer, n >= 0 else { throw .wrongType(file: file, key: key, expected: "a natural number") }
    return n
  }

  func number(_ key: String) throws(ImportRejection) -> JSONNumber {
    guard let value = value(key) else { throw .missingValue(file: file, key: key) }
    guard let n = value.number else { throw .wrongType(file: file, key: key, expected: "a number") }
    return n
  }

  func bool(_ key: String, default fallback: Bool) throws(ImportRejection) -> Bool {
    guard let value = value(key) else { return fallback }
    guard let b = value.bool else { throw .wrongType(file: file, key: key, expected: "true or false") }
    return b
  }

  /// A token id or an array of them; nil when absent.
  func identifiers(_ key: String) throws(ImportRejection) -> [Int]? {
    guard let value = value(key) else { return nil }
    let list = (value.array ?? [value]).map(\.integer)
    guard list.allSatisfy({ $0 != nil && $0! >= 0 }) else {
      throw .wrongType(file: file, key: key, expected: "a token id or an array of them")
    }
    return list.compactMap { $0 }
  }

  /// Refuses a present value whose JSON text is not one of `texts`.
  func require(_ key: String, _ texts: [String], missing: Bool = true) throws(ImportRejection) {
    guard let value = value(key) else {
      if missing { return }
      throw .missingValue(file: file, key: key)
    }
    guard texts.contains(value.text()) else {
      throw .unsupportedValue(
        file: file, key: key, found: HuggingFaceMembers.shown(value),
        supported: texts.isEmpty ? "null" : texts.joined(separator: ", "))
    }
  }

  static func shown(_ value: JSON) -> String {
    let text = value.text()
    return text.utf8.count <= 200 ? text : String(text.prefix(160)) + "…"
  }
}
