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
    }
  }
}

/// The static bounds of docs/spec/arithmetic.md, section 9.
enum Bounds {
  static let contextMax = 1 << 20
  static let hiddenSizeMax = 16384
  static let columnsMax = 65535
  static let multiplierMax = (1 << 24) - 1
  /// Of gains and biases.
  static let gainMax = (1 << 23) - 1
  /// Of the integer weights of 4 bits, multiplied out.
  static let weightMax = 1 << 30
  static let layersMax = 4096
  static let vocabularyMax = 1 << 20

  private static func require(_ what: String, _ value: Int, _ range: ClosedRange<Int>) throws(ModelRejection) {
    guard range.contains(value) else {
      throw .outOfBounds(what, value: value, lower: range.lowerBound, upper: range.upperBound)
    }
  }

  static func check(_ c: ModelConfiguration, _ manifest: ModelManifest) throws(ModelRejection) {
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
    try require("contextLength", c.contextLength, 1...contextMax)
    try require("residualFractionBits", c.residualFractionBits, 8...30)
    try require("normEpsilon", c.normEpsilon, 1...((1 << 53) - 1))
    try require("rope.frequencies count", manifest.ropeFrequencies.count, 0...(c.headDimension / 2))
    try require("tokens.endOfSequence count", manifest.tokens.endOfSequence.count, 1...64)
    for id in manifest.tokens.endOfSequence {
      try require("tokens.endOfSequence", Int(id), 0...(c.vocabularySize - 1))
    }
    if let id = manifest.tokens.beginOfSequence {
      try require("tokens.beginOfSequence", Int(id), 0...(c.vocabularySize - 1))
    }
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
    case .linear8, .linear4, .linear4m:
      try require("input size of tensor \(tensor.name)", tensor.shape[1], 1...columnsMax)
    case .table16, .gain, .bias: break
    }
  }

  /// Multipliers, gains and biases are data from outside too.
  static func check(_ content: TensorContent) throws(ModelRejection) {
    let name = content.entry.name
    switch content.entry.kind {
    case .linear8, .table16, .linear4, .linear4m:
      let largest = Int(content.multipliers.max() ?? 0)
      try require("the largest multiplier of tensor \(name)", largest, 0...multiplierMax)
    case .gain, .bias:
      let kind = content.entry.kind.rawValue
      try require("the largest \(kind) of tensor \(name)", Int(content.vector.max() ?? 0), -gainMax...gainMax)
      try require("the smallest \(kind) of tensor \(name)", Int(content.vector.min() ?? 0), -gainMax...gainMax)
    }
    if content.entry.kind == .linear4m {
      try require("the largest weight of tensor \(name)", content.largestWeight, 0...weightMax)
    }
  }
}

extension ModelManifest {
  /// Checks the bounds of configuration and tokens before there are weights: for importers, which must
  /// not act on absurd sizes. ``ModelImage`` checks them again, and everything else.
  public func checkConfiguration() throws(ModelRejection) {
    try Bounds.check(config, self)
  }
}
