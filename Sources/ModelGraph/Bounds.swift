/// Why a model is refused before it runs.
public enum ModelRejection: Error, Equatable, Sendable, CustomStringConvertible {
  case outOfBounds(String, value: Int, lower: Int, upper: Int)
  case weightsSize(found: Int, stated: Int)
  case tensorExtent(String, stated: Int, expected: Int?)
  case tensorOutside(String)
  case tensorsOverlap(String)
  case gapNotZero(offset: Int)
  case duplicateTensor(String)
  case missingTensor(String)
  case unknownTensor(String)
  case wrongShape(String, found: String, expected: String)
  case unsupportedArchitecture(String, known: [String])
  case memberMissing(String, architecture: String)
  case memberNotAllowed(String, architecture: String)

  public var description: String {
    switch self {
    case .outOfBounds(let what, let value, let lower, let upper):
      "\(what) is \(value); exact arithmetic needs it between \(lower) and \(upper)"
    case .weightsSize(let found, let stated): "the weights have \(found) bytes; the manifest states \(stated)"
    case .tensorExtent(let name, let stated, let expected):
      "tensor \(name) states \(stated) bytes; its shape needs \(expected.map { String($0) } ?? "more than can be addressed")"
    case .tensorOutside(let name): "tensor \(name) does not lie within the weights at a multiple of 64"
    case .tensorsOverlap(let name): "tensor \(name) overlaps the one before it"
    case .gapNotZero(let offset): "byte \(offset) of the weights belongs to no tensor and is not zero"
    case .duplicateTensor(let name): "tensor \(name) is listed twice"
    case .missingTensor(let name): "tensor \(name) is missing"
    case .unknownTensor(let name): "tensor \(name) is not part of this architecture"
    case .wrongShape(let name, let found, let expected): "tensor \(name) is \(found); it must be \(expected)"
    case .unsupportedArchitecture(let name, let known):
      "architecture \"\(name)\" is not supported; supported: \(known.joined(separator: ", "))"
    case .memberMissing(let member, let architecture):
      "the manifest lacks \(member), which a model of architecture \"\(architecture)\" like this needs"
    case .memberNotAllowed(let member, let architecture):
      "the manifest states \(member), which architecture \"\(architecture)\" does not have"
    }
  }
}

/// The static bounds of docs/spec/arithmetic.md, section 9.
enum Bounds {
  static let contextMax = 1 << 20
  static let encoderContextMax = 1 << 13
  static let hiddenSizeMax = 16384
  static let columnsMax = 65535
  static let multiplierMax = (1 << 24) - 1
  /// Of gains and biases.
  static let gainMax = (1 << 23) - 1
  static let layersMax = 4096
  static let vocabularyMax = 1 << 20
  static let epsilonMax = (1 << 53) - 1
  static let expertsMax = 1024
  static let slotsMax = 64
  /// C of a cap.
  static let capRange = (1 << 12)...((1 << 29) - 1)

  private static func require(_ what: String, _ value: Int, _ range: ClosedRange<Int>) throws(ModelRejection) {
    guard range.contains(value) else {
      throw .outOfBounds(what, value: value, lower: range.lowerBound, upper: range.upperBound)
    }
  }

  /// Configuration, frequencies and tokens.
  ///
  /// - Returns: the architecture.
  @discardableResult
  static func check(_ manifest: ModelManifest) throws(ModelRejection) -> any Architecture {
    guard let architecture = Architectures.all[manifest.architecture] else {
      throw .unsupportedArchitecture(manifest.architecture, known: Architectures.all.keys.sorted())
    }
    let c = manifest.config
    try architecture.rules.check(manifest)
    try require("hiddenSize", c.hiddenSize, 1...hiddenSizeMax)
    try require("layers", c.layers, 1...layersMax)
    try require("headDimension", c.headDimension, 2...256)
    try require("headDimension modulo 2", c.headDimension % 2, 0...0)
    try require("keyValueHeads", c.keyValueHeads, 1...1024)
    try require("heads", c.heads, 1...1024)
    try require("heads modulo keyValueHeads", c.heads % c.keyValueHeads, 0...0)
    try require("heads · headDimension", c.heads * c.headDimension, 1...columnsMax)
    try require("intermediateSize", c.intermediateSize, 1...columnsMax)
    try require("vocabularySize", c.vocabularySize, 1...vocabularyMax)
    try require("contextLength", c.contextLength, 1...(architecture.rules.isEncoder ? encoderContextMax : contextMax))
    try require("residualFractionBits", c.residualFractionBits, 8...30)
    try require("normEpsilon", c.normEpsilon, 1...epsilonMax)
    try checkOptional(c)
    let frequenciesMax = architecture.rules.isEncoder ? 0 : c.headDimension / 2
    let frequencies = manifest.ropeFrequencies.count
    try require("rope.frequencies count", frequencies, 0...frequenciesMax)
    if let local = manifest.localRopeFrequencies {
      try require("rope.localFrequencies count", local.count, frequencies...frequencies)
    }
    try check(manifest.tokens, vocabularySize: c.vocabularySize, endsMin: architecture.rules.isEncoder ? 0 : 1)
    return architecture
  }

  private static func checkOptional(_ c: ModelConfiguration) throws(ModelRejection) {
    if let cap = c.attentionSoftcap { try require("attentionSoftcap", cap, capRange) }
    if let cap = c.logitsSoftcap { try require("logitsSoftcap", cap, capRange) }
    if let scale = c.embeddingScale { try require("embeddingScale", scale, 1...((1 << 22) - 1)) }
    if let epsilon = c.headNormEpsilon { try require("headNormEpsilon", epsilon, 1...epsilonMax) }
    if let window = c.window { try require("window", window, 1...contextMax) }
    for layer in c.localLayers.sorted() { try require("localLayers", layer, 0...(c.layers - 1)) }
    for layer in c.ropelessLayers.sorted() { try require("ropelessLayers", layer, 0...(c.layers - 1)) }
    if let experts = c.experts, let slots = c.expertsPerToken {
      try require("experts", experts, 1...expertsMax)
      try require("expertsPerToken", slots, 1...min(slotsMax, experts))
      try require("expertsPerToken · intermediateSize", slots * c.intermediateSize, 1...columnsMax)
    }
  }

  private static func check(
    _ tokens: ModelManifest.SpecialTokens, vocabularySize: Int, endsMin: Int
  ) throws(ModelRejection) {
    try require("tokens.endOfSequence count", tokens.endOfSequence.count, endsMin...64)
    for id in tokens.endOfSequence { try require("tokens.endOfSequence", Int(id), 0...(vocabularySize - 1)) }
    if let id = tokens.beginOfSequence { try require("tokens.beginOfSequence", Int(id), 0...(vocabularySize - 1)) }
  }

  static func check(_ tensor: TensorEntry, weightsBytes: Int) throws(ModelRejection) {
    let expected = TensorEntry.bytes(kind: tensor.kind, shape: tensor.shape)
    guard tensor.bytes == expected else {
      throw .tensorExtent(tensor.name, stated: tensor.bytes, expected: expected)
    }
    guard tensor.offset >= 0, tensor.offset % 64 == 0, tensor.offset <= weightsBytes,
      tensor.bytes <= weightsBytes - tensor.offset
    else { throw .tensorOutside(tensor.name) }
    try require("exponent of tensor \(tensor.name)", tensor.exponent, -256...256)
    switch tensor.kind {
    case .linear8, .linear4, .linear4m, .linear16:
      try require("input size of tensor \(tensor.name)", tensor.shape[1], 1...columnsMax)
    case .table16, .gain, .bias: break
    }
  }

  /// Multipliers, gains and biases are data from outside too.
  ///
  /// - Returns: s1 and s2 of a 4-bit or 16-bit weight.
  static func check(_ content: TensorContent) throws(ModelRejection) -> TwoShifts? {
    let (name, kind) = (content.entry.name, content.entry.kind)
    switch kind {
    case .gain, .bias:
      let vector = content.vector
      try require("the largest \(kind.rawValue) of tensor \(name)", Int(vector.max() ?? 0), -gainMax...gainMax)
      try require("the smallest \(kind.rawValue) of tensor \(name)", Int(vector.min() ?? 0), -gainMax...gainMax)
      return nil
    case .linear8, .table16, .linear4, .linear4m, .linear16:
      let largest = Int(content.multipliers.max() ?? 0)
      try require("the largest multiplier of tensor \(name)", largest, 0...multiplierMax)
      guard let weight = largestWeight(content) else { return nil }
      return TwoShifts(largestWeight: weight, columns: content.entry.shape[1], largestMultiplier: largest)
    }
  }
}

extension Bounds {
  /// Wmax; nil where one shift is enough.
  private static func largestWeight(_ content: TensorContent) -> Int? {
    switch content.entry.kind {
    case .linear4, .linear4m:
      // At most 31 · 2047 · 2^15 by the form of the stored numbers, so nothing to refuse.
      Linear4.largestWeight(groupMultipliers: content.groupMultipliers, groupMinimums: content.groupMinimums)
    case .linear16: Linear16.largestWeight
    case .linear8, .table16, .gain, .bias: nil
    }
  }
}

extension ModelManifest {
  /// Checks the bounds of configuration and tokens before there are weights: for importers, which must
  /// not act on absurd sizes. ``ModelImage`` checks them again, and everything else.
  public func checkConfiguration() throws(ModelRejection) {
    try Bounds.check(self)
  }
}
