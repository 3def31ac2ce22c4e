import Digests

/// What a checkpoint's configuration says about rotary embeddings, of all layers or of one type of layer.
///
/// Source: docs/spec/model.md, "RoPE scaling".
struct RopeDescription {
  private enum Scaling {
    case none
    case linear(factor: Double)
    case llama3(factor: Double, low: Double, high: Double, original: Double)
    case long(shortFactors: [Double], queryFactor: Double)
  }

  private let theta: JSONNumber
  /// The part of a head that rotates; nil for all of it.
  private let partialFactor: Double?
  private let scaling: Scaling
  private let members: HuggingFaceMembers
  /// The longest sequence that scaling allows; nil when it sets none.
  private(set) var contextLength: Int?

  /// - Parameters:
  ///   - theta: the family's, when neither the object nor the configuration has one.
  ///   - isLong: whether the family has other names for LongRoPE and may rotate a part of each head.
  init(
    _ config: HuggingFaceMembers, theta: Int, isLong: Bool = false, originalContext: Int? = nil
  ) throws(ImportRejection) {
    let stated = try config.number("rope_theta")
    try self.init(
      try RopeDescription.object(config), in: config, theta: stated ?? JSONNumber(theta), isLong: isLong,
      originalContext: originalContext)
  }

  /// `rope_parameters` or `rope_scaling`.
  static func object(_ config: HuggingFaceMembers) throws(ImportRejection) -> HuggingFaceMembers? {
    let (old, new) = (try config.members("rope_scaling"), try config.members("rope_parameters"))
    if let old, new != nil {
      throw config.unsupported(
        "rope_scaling", found: HuggingFaceMembers.shown(.object(old.object)), supported: "null beside rope_parameters")
    }
    if let old, old.value("rope_type") == nil, old.value("type") == nil {
      throw config.unsupported(
        "rope_scaling", found: HuggingFaceMembers.shown(.object(old.object)),
        supported: "null, or an object with a type")
    }
    return old ?? new
  }

  /// - Parameters:
  ///   - object: one description; nil for plain rotation.
  ///   - theta: when the object has none.
  init(
    _ object: HuggingFaceMembers?, in config: HuggingFaceMembers, theta: JSONNumber, isLong: Bool = false,
    originalContext: Int? = nil
  ) throws(ImportRejection) {
    let o = object ?? config
    members = o
    self.theta = try object?.number("rope_theta") ?? theta
    let (inner, outer) = (try object?.positive("partial_rotary_factor"), try config.positive("partial_rotary_factor"))
    let partial = inner ?? outer ?? 1
    guard partial == 1 || isLong && partial < 1 else {
      throw o.unsupported("partial_rotary_factor", found: "\(partial)", supported: isLong ? "at most 1" : "1")
    }
    partialFactor = partial == 1 ? nil : partial
    guard let object else {
      scaling = .none
      return
    }
    try RopeDescription.refuseUnknown(object)
    let (newer, older) = (try object.string("rope_type"), try object.string("type"))
    let kind = newer ?? older ?? "default"
    let context = try config.integer("max_position_embeddings")
    func original() throws(ImportRejection) -> Int {
      let key = "original_max_position_embeddings"
      let place = config.value(key) != nil ? config : object
      let n = try place.integer(key, default: originalContext ?? context)
      guard n >= 1, n <= 1 << 40 else { throw object.unsupported(key, found: "\(n)", supported: "at least 1") }
      return n
    }
    func required(_ key: String) throws(ImportRejection) -> Double {
      guard let x = try object.positive(key) else { throw object.missing(key) }
      return x
    }
    switch kind {
    case "default": scaling = .none
    case "linear": scaling = .linear(factor: try required("factor"))
    case "llama3":
      let (low, high) = (try required("low_freq_factor"), try required("high_freq_factor"))
      guard low < high else {
        throw object.unsupported("low_freq_factor", found: "\(low)", supported: "less than high_freq_factor, \(high)")
      }
      scaling = .llama3(factor: try required("factor"), low: low, high: high, original: Double(try original()))
    case "longrope",
      "su" where isLong, "yarn" where isLong:
      let made = try original()
      contextLength = min(made, context)
      scaling = .long(
        shortFactors: try RopeDescription.factors(object, "short_factor"),
        queryFactor: try RopeDescription.queryFactor(object, context: context, original: made))
    default:
      throw object.unsupported(
        object.value("rope_type") == nil ? "type" : "rope_type", found: quoted(kind),
        supported: "\"default\", \"linear\", \"llama3\", \"longrope\"")
    }
  }

  private static func refuseUnknown(_ object: HuggingFaceMembers) throws(ImportRejection) {
    let known = [
      "attention_factor", "factor", "high_freq_factor", "long_factor", "low_freq_factor",
      "original_max_position_embeddings", "partial_rotary_factor", "rope_theta", "rope_type", "short_factor", "type",
    ]
    for (key, value) in object.object.members where !value.isNull && !known.contains(key) {
      throw object.unsupported(
        key, found: HuggingFaceMembers.shown(value), supported: "absent; known are \(known.joined(separator: ", "))")
    }
  }

  private static func factors(_ object: HuggingFaceMembers, _ key: String) throws(ImportRejection) -> [Double] {
    guard let list = try object.array(key, countMax: 128) else { throw object.missing(key) }
    return try list.map { item throws(ImportRejection) in
      guard let x = item.number.flatMap({ Double($0.text) }), x > 0, x <= 1e30 else {
        throw object.wrongType(key, "an array of positive numbers")
      }
      return x
    }
  }

  /// LongRoPE lengthens queries and keys alike by `attention_factor`; both are the queries' here.
  private static func queryFactor(
    _ object: HuggingFaceMembers, context: Int, original: Int
  ) throws(ImportRejection) -> Double {
    if let stated = try object.positive("attention_factor") { return stated * stated }
    var ratio = (UInt128(max(context, 1)), UInt128(original))
    if let factor = try object.number("factor") {
      guard let fraction = FixedPoint.fraction(factor), fraction.0 < fraction.1 << 40 else {
        throw object.unsupported("factor", found: factor.text, supported: "a positive number with at most 18 digits")
      }
      ratio = fraction
    }
    guard ratio.0 > ratio.1 else { return 1 }
    guard original > 1 else {
      throw object.unsupported("original_max_position_embeddings", found: "\(original)", supported: "at least 2")
    }
    let (a, b) = (FixedPoint.logarithm(ratio.0, ratio.1), FixedPoint.logarithm(UInt128(original), 1))
    // Logarithms stay below 64.
    return (FixedPoint.one + FixedPoint.ratio(a.units, b.units)).double
  }

  /// Multiplied into the elements of queries that rotate.
  var queryFactor: Double { if case .long(_, let factor) = scaling { factor } else { 1 } }

  // MARK: Frequencies

  /// φ_i of every pair that rotates, in units of 2^-64 turns.
  ///
  /// - Parameter headDimension: even, 2…256.
  func frequencies(headDimension: Int) throws(ImportRejection) -> [UInt64] {
    let width = partialFactor.map { Int(Double(headDimension) * $0) } ?? headDimension
    guard width >= 2, width % 2 == 0 else {
      throw members.unsupported(
        "partial_rotary_factor", found: "\(partialFactor ?? 1)", supported: "what rotates an even number of elements")
    }
    if case .none = scaling { return try RopeFrequencies.values(theta: theta, width: width) }
    let turns = try scaled(try RopeFrequencies.turns(theta: theta, width: width))
    guard turns.allSatisfy({ $0 < 0.5 }) else {
      throw members.unsupported(
        "factor", found: "what rotates half a turn or more at each position", supported: "numbers from 1 on")
    }
    return turns.map { UInt64($0 * 0x1p64) }
  }

  private func scaled(_ turns: [Double]) throws(ImportRejection) -> [Double] {
    switch scaling {
    case .none: return turns
    case .linear(let factor): return turns.map { $0 / factor }
    case .llama3(let factor, let low, let high, let original):
      return turns.map { turn in
        let wavelength = 1 / turn
        if wavelength < original / high { return turn }
        if wavelength > original / low { return turn / factor }
        let z = (original / wavelength - low) / (high - low)
        return (1 - z) * turn / factor + z * turn
      }
    case .long(let factors, _):
      guard factors.count == turns.count else {
        throw members.unsupported(
          "short_factor", found: "\(factors.count) numbers", supported: "\(turns.count), one for each pair that rotates"
        )
      }
      return zip(turns, factors).map { $0 / $1 }
    }
  }
}
