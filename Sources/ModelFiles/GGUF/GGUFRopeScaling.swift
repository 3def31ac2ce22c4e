import Digests

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// How a GGUF file changes the frequencies of rotary embeddings, as `rope_scaling` of `config.json`.
struct GGUFRopeScaling {
  let hyperparameters: GGUFHyperparameters
  /// The divisors of the frequencies that the file has as tensors; nil where it has none.
  var factors: [Float]?
  var longFactors: [Float]?
  var shortFactors: [Float]?

  /// - Parameters:
  ///   - theta: `rope_theta`.
  ///   - rotated: elements of a head that are rotated.
  /// - Returns: null when nothing is scaled.
  func json(theta: JSONNumber, rotated: Int, contextLength: Int) throws(GGUFRejection) -> JSON {
    let h = hyperparameters
    let type = try h.text("rope.scaling.type") ?? ""
    if longFactors != nil || shortFactors != nil { return try longRope(contextLength: contextLength) }
    if let factors, factors.contains(where: { $0 != 1 }) {
      guard ["", "none"].contains(type) else {
        throw .unsupportedValue(
          file: h.file, key: h.key("rope.scaling.type"), found: "\(quoted(type)) beside rope_freqs.weight",
          supported: "one of them")
      }
      try require(factors, "rope_freqs.weight", count: rotated / 2)
      if let known = GGUFRopeScaling.llama3(factors, theta: theta, rotated: rotated) { return known }
      return GGUFRopeScaling.list(factors, contextLength: contextLength)
    }
    // Files without a type mean a linear factor.
    var factor = try h.number("rope.scaling.factor")
    if factor == nil { factor = try h.number("rope.scale_linear") }
    switch type {
    case "none": return .null
    case "", "linear":
      guard let factor, let value = Double(factor.text), value != 0, value != 1 else { return .null }
      return ["rope_type": "linear", "factor": .number(factor)]
    case "yarn": return try yarn(factor)
    case "longrope": throw .missing(file: h.file, key: "tensor rope_factors_short.weight")
    default:
      throw .unsupportedValue(
        file: h.file, key: h.key("rope.scaling.type"), found: quoted(type), supported: "none, linear, yarn, longrope")
    }
  }

  private func require(_ factors: [Float], _ tensor: String, count: Int) throws(GGUFRejection) {
    guard factors.count == count, factors.allSatisfy({ $0.isFinite && $0 > 0 }) else {
      throw .tensor(
        file: hyperparameters.file, tensor: tensor, problem: "is not \(count) positive numbers; the file is damaged")
    }
  }

  private static func numbers(_ list: [Float]) -> JSON {
    .array(list.map { .number(JSONNumber(validated: $0.description)) })
  }

  private func longRope(contextLength: Int) throws(GGUFRejection) -> JSON {
    guard let longFactors, let shortFactors else {
      let missing = longFactors == nil ? "rope_factors_long.weight" : "rope_factors_short.weight"
      throw .missing(file: hyperparameters.file, key: "tensor \(missing)")
    }
    try require(longFactors, "rope_factors_long.weight", count: shortFactors.count)
    try require(shortFactors, "rope_factors_short.weight", count: longFactors.count)
    var object = JSONObject()
    object["rope_type"] = "longrope"
    object["long_factor"] = GGUFRopeScaling.numbers(longFactors)
    object["short_factor"] = GGUFRopeScaling.numbers(shortFactors)
    object["attention_factor"] = try attentionFactor(contextLength: contextLength).map { .number($0) }
    return .object(object)
  }

  /// The factor of attention that the file states; nil when it is what the contexts amount to, which the
  /// converter rounded to binary32.
  private func attentionFactor(contextLength: Int) throws(GGUFRejection) -> JSONNumber? {
    guard let stated = try hyperparameters.number("rope.scaling.attn_factor") else { return nil }
    guard let original = try hyperparameters.integer("rope.scaling.original_context_length"), original > 1,
      let value = Double(stated.text)
    else { return stated }
    let scale = Double(max(contextLength, original)) / Double(original)
    let usual = (1 + log(scale) / log(Double(original))).squareRoot()
    return abs(value - usual) <= 0x1p-22 * usual ? nil : stated
  }

  private func yarn(_ factor: JSONNumber?) throws(GGUFRejection) -> JSON {
    let h = hyperparameters
    guard let factor else { throw .missing(file: h.file, key: h.key("rope.scaling.factor")) }
    var object = JSONObject()
    object["rope_type"] = "yarn"
    object["factor"] = .number(factor)
    object["original_max_position_embeddings"] =
      try h.integer("rope.scaling.original_context_length").map { .integer($0) }
    for (member, key) in [
      ("extrapolation_factor", "yarn_ext_factor"), ("attention_factor", "yarn_attn_factor"),
      ("beta_fast", "yarn_beta_fast"), ("beta_slow", "yarn_beta_slow"),
    ] {
      object[member] = try h.number("rope.scaling.\(key)").map { .number($0) }
    }
    return .object(object)
  }

  /// Llama 3's formula with the parameters that all its models have, when it gives these divisors.
  ///
  /// The converter computed the divisors in binary32; their last bits are noise that the formula does not have.
  private static func llama3(_ factors: [Float], theta: JSONNumber, rotated: Int) -> JSON? {
    guard let factor = factors.last, factor > 1, let base = Double(theta.text), base > 1 else { return nil }
    let (low, high, original) = (1.0, 4.0, 8192.0)
    for (i, found) in factors.enumerated() {
      let wavelength = 2 * Double.pi * pow(base, Double(2 * i) / Double(rotated))
      let smooth = min(max((original / wavelength - low) / (high - low), 0), 1)
      let expected = 1 / ((1 - smooth) / Double(factor) + smooth)
      guard abs(Double(found) - expected) <= 1e-4 * expected else { return nil }
    }
    return [
      "rope_type": "llama3", "factor": .number(JSONNumber(validated: factor.description)),
      "low_freq_factor": .number(JSONNumber(validated: "1.0")),
      "high_freq_factor": .number(JSONNumber(validated: "4.0")), "original_max_position_embeddings": 8192,
    ]
  }

  /// Any list of divisors: what "longrope" means where both its lists are the same and attention stays as it is.
  private static func list(_ factors: [Float], contextLength: Int) -> JSON {
    [
      "rope_type": "longrope", "long_factor": numbers(factors), "short_factor": numbers(factors),
      "attention_factor": .number(JSONNumber(validated: "1.0")),
      "original_max_position_embeddings": .integer(contextLength),
    ]
  }
}
