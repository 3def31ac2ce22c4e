import Digests

extension ModelConfiguration {
  /// Members that every manifest has.
  static let members: Set<String> = [
    "contextLength", "headDimension", "heads", "hiddenSize", "intermediateSize", "keyValueHeads", "layers",
    "normEpsilon", "residualFractionBits", "tiedEmbeddings", "vocabularySize",
  ]
  static let optionalMembers: Set<String> = [
    "activation", "attentionSoftcap", "biases", "embeddingScale", "expertSharesOfAll", "experts", "expertsPerToken",
    "headNormEpsilon", "localLayers", "logitsSoftcap", "normalised", "pooling", "ropelessLayers", "window",
  ]
  /// An embedding scale of one.
  private static let scaleOfOne = 1 << 14

  init(_ c: ManifestMembers) throws(ManifestRejection) {
    self.init(
      hiddenSize: try c.integer("hiddenSize"), layers: try c.integer("layers"), heads: try c.integer("heads"),
      keyValueHeads: try c.integer("keyValueHeads"), headDimension: try c.integer("headDimension"),
      intermediateSize: try c.integer("intermediateSize"), vocabularySize: try c.integer("vocabularySize"),
      contextLength: try c.integer("contextLength"), residualFractionBits: try c.integer("residualFractionBits"),
      normEpsilon: try c.integer("normEpsilon"), tiedEmbeddings: try c.bool("tiedEmbeddings"))
    activation = try c.choice("activation", as: Activation.self) ?? .silu
    if activation == .silu && c.has("activation") { throw .statesDefault("config.activation") }
    attentionSoftcap = try c.optionalInteger("attentionSoftcap")
    biases = try c.choices("biases", as: Projection.self)
    embeddingScale = try c.optionalInteger("embeddingScale")
    if embeddingScale == ModelConfiguration.scaleOfOne { throw .statesDefault("config.embeddingScale") }
    experts = try c.optionalInteger("experts")
    expertsPerToken = try c.optionalInteger("expertsPerToken")
    expertSharesOfAll = try c.flag("expertSharesOfAll")
    headNormEpsilon = try c.optionalInteger("headNormEpsilon")
    localLayers = try c.integers("localLayers")
    logitsSoftcap = try c.optionalInteger("logitsSoftcap")
    normalised = try c.flag("normalised")
    pooling = try c.choice("pooling", as: Pooling.self)
    ropelessLayers = try c.integers("ropelessLayers")
    window = try c.optionalInteger("window")
  }

  var json: JSON {
    var object = JSONObject()
    func integers(_ set: Set<Int>) -> JSON? { set.isEmpty ? nil : .array(set.sorted().map { .integer($0) }) }
    func names(_ names: [String]) -> JSON? {
      let sorted = names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
      return names.isEmpty ? nil : .array(sorted.map { .string($0) })
    }
    object["hiddenSize"] = .integer(hiddenSize)
    object["layers"] = .integer(layers)
    object["heads"] = .integer(heads)
    object["keyValueHeads"] = .integer(keyValueHeads)
    object["headDimension"] = .integer(headDimension)
    object["intermediateSize"] = .integer(intermediateSize)
    object["vocabularySize"] = .integer(vocabularySize)
    object["contextLength"] = .integer(contextLength)
    object["residualFractionBits"] = .integer(residualFractionBits)
    object["normEpsilon"] = .integer(normEpsilon)
    object["tiedEmbeddings"] = .bool(tiedEmbeddings)
    object["activation"] = activation == .silu ? nil : .string(activation.rawValue)
    object["attentionSoftcap"] = attentionSoftcap.map { .integer($0) }
    object["biases"] = names(biases.map(\.rawValue))
    object["embeddingScale"] = embeddingScale.map { .integer($0) }
    object["experts"] = experts.map { .integer($0) }
    object["expertsPerToken"] = expertsPerToken.map { .integer($0) }
    object["expertSharesOfAll"] = expertSharesOfAll ? true : nil
    object["headNormEpsilon"] = headNormEpsilon.map { .integer($0) }
    object["localLayers"] = integers(localLayers)
    object["logitsSoftcap"] = logitsSoftcap.map { .integer($0) }
    object["normalised"] = normalised ? true : nil
    object["pooling"] = pooling.map { .string($0.rawValue) }
    object["ropelessLayers"] = integers(ropelessLayers)
    object["window"] = window.map { .integer($0) }
    return .object(object)
  }
}
