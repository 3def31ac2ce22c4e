import ModelGraph

/// One tensor of the model and what it is made from.
struct ConversionStep {
  let target: TensorShape
  let kind: TensorEntry.Kind
  let source: RowSource
  let factor: RowFactor
}

/// Everything that is to be converted, in the manifest's order.
struct ConversionPlan {
  let steps: [ConversionStep]

  /// Matches the checkpoint's tensors with those that the architecture needs.
  init(
    _ checkpoint: any ImportSource, family: any CheckpointFamily, architecture: any Architecture,
    _ configuration: CheckpointConfiguration, rotatedElements: Int, formats: WeightFormats
  ) throws {
    var stored = try StoredTensors(checkpoint, family: family)
    let config = configuration.model
    let targets = architecture.tensors(config).sorted { FileSystem.precedes($0.name, $1.name) }
    let normsQueries = targets.contains { TensorName($0.name).part == "q_norm" }
    let query = 1.4426950408889634 / configuration.queryScalar.squareRoot()
    let rows = RowFactor(
      plain: query, rotated: query * (configuration.rope?.queryFactor ?? 1), headDimension: config.headDimension,
      rotatedElements: rotatedElements)
    steps = try targets.map { target in
      let name = TensorName(target.name)
      let source = try stored.rows(family.recipe(for: name, config), shape: target.shape)
      let factor: RowFactor =
        switch name.part {
        case "q_proj" where !normsQueries: rows
        case "q_norm": RowFactor(query)
        // Routers' outputs are exponents of two.
        case "router": RowFactor(1.4426950408889634)
        default: .one
        }
      return ConversionStep(
        target: target,
        kind: formats.kind(of: target, source, isEncoder: architecture.rules.isEncoder),
        source: source, factor: factor)
    }
    try stored.refuseRest()
  }
}

/// The formats of layers and of the head.
public struct WeightFormats: Sendable, Equatable, CustomStringConvertible {
  public var layers: WeightFormat
  /// nil: 4 bits where the source has them and the layers may have them, otherwise 8, whatever the layers have. The
  /// head is the embedding as well in most models, and its rounding reaches everything.
  public var head: WeightFormat?

  public init(layers: WeightFormat = .automatic, head: WeightFormat? = nil) {
    self.layers = layers
    self.head = head
  }

  func kind(of target: TensorShape, _ source: RowSource, isEncoder: Bool) -> TensorEntry.Kind {
    switch target.role {
    case .linear: return layers.kind(source, isEncoder: isEncoder)
    case .head:
      if let head { return head.kind(source, isEncoder: isEncoder) }
      let mayKeep = layers == .automatic || layers == .fourBit
      return (mayKeep ? WeightFormat.automatic : .eightBit).kind(source, isEncoder: isEncoder)
    case .linear8, .table16, .gain, .bias: return target.kind
    }
  }

  /// As provenance records it.
  public var description: String { layers.rawValue + (head.map { ", head \($0.rawValue)" } ?? "") }
}

/// Which format linear weights get.
public enum WeightFormat: String, Sendable, CaseIterable {
  /// 4 bits where the source has them; otherwise 8 bits, of encoders 16: a sentence's direction is the answer
  /// itself, and rounding weights to 8 bits turns it by more than a ten-thousandth.
  case automatic
  case eightBit = "8bit"
  case fourBit = "4bit"
  case sixteenBit = "16bit"

  fileprivate func kind(_ source: RowSource, isEncoder: Bool) -> TensorEntry.Kind {
    let own = source.groupFormat?.fourBitKind
    return switch self {
    case .automatic: own ?? (isEncoder ? .linear16 : .linear8)
    case .eightBit: .linear8
    case .fourBit: own ?? (source.columns % 32 == 0 ? .linear4 : .linear8)
    case .sixteenBit: .linear16
    }
  }
}

extension BlockFormat {
  /// The kind of weight that blocks become without a change; nil for formats of other bits.
  var fourBitKind: TensorEntry.Kind? {
    switch self {
    case .q40: .linear4
    case .q41, .q4K: .linear4m
    case .q50, .q51, .q80, .q5K, .q6K: nil
    }
  }
}

/// The tensors of a checkpoint by name, and which of them have been asked for.
private struct StoredTensors {
  private let family: any CheckpointFamily
  private let place: String
  private var tensors: [NameBytes: SourceTensor] = [:]
  private var used: Set<NameBytes> = []

  init(_ checkpoint: any ImportSource, family: any CheckpointFamily) throws {
    self.family = family
    place = checkpoint.weightsPlace
    for tensor in checkpoint.tensors {
      let name = NameBytes(family.canonical(tensor.name))
      if let other = tensors.updateValue(tensor, forKey: name) {
        throw ImportRejection.duplicateTensor(tensor.name, files: [other.file, tensor.file])
      }
    }
    for other in checkpoint.others where !family.ignores(family.canonical(other.name)) { throw other.rejection }
  }

  mutating func rows(_ recipe: TensorRecipe, shape: [Int]) throws(ImportRejection) -> RowSource {
    let outputs = shape[0]
    guard outputs % max(recipe.parts.count, 1) == 0, !recipe.parts.isEmpty else {
      throw .missingTensor(recipe.parts.first?.names[0] ?? "", file: place)
    }
    var inner = shape
    inner[0] = outputs / recipe.parts.count
    var parts: [RowSource.Part] = []
    for part in recipe.parts {
      let tensor = try find(part.names)
      var expected = inner
      if let rows = part.rows { expected[0] = rows.of }
      guard tensor.shape == expected else { throw .wrongShape(tensor.name, found: tensor.shape, expected: expected) }
      parts.append(
        part.rows.map { RowSource.Part(tensor: tensor.rows($0.range), firstRow: $0.range.lowerBound) }
          ?? RowSource.Part(tensor: tensor))
    }
    var source = RowSource(parts)
    source.addend = recipe.addend
    if let name = recipe.firstRowOf {
      let table = try find([name])
      guard table.shape.count == 2, table.shape[0] >= 1, table.columns == source.columns else {
        throw .wrongShape(table.name, found: table.shape, expected: [2, source.columns])
      }
      let row = RowSource([RowSource.Part(tensor: table.rows(0..<1))])
      let values = row.wideRow(0)
      if let bad = values.firstIndex(where: { !$0.isFinite }) { throw row.notFinite(row: 0, element: bad) }
      source.added = (values, table)
    }
    return source
  }

  /// The tensor that is stored under one of the names; under several only where all are the same.
  private mutating func find(_ names: [String]) throws(ImportRejection) -> SourceTensor {
    var found: SourceTensor?
    for name in names {
      guard let tensor = tensors[NameBytes(name)] else { continue }
      used.insert(NameBytes(name))
      if let first = found {
        guard tensor.isStoredLike(first) else {
          throw name == "lm_head.weight" ? .untied(name) : .unexpectedTensor(tensor.name, file: tensor.file)
        }
      } else {
        found = tensor
      }
    }
    guard let found else { throw .missingTensor(names[0], file: place) }
    return found
  }

  /// Refuses tensors that nothing asked for: what they do would be lost.
  func refuseRest() throws(ImportRejection) {
    let rest = tensors.filter { !used.contains($0.key) }.map { $0.value }
      .filter { !family.ignores(family.canonical($0.name)) }
    if let first = rest.min(by: { FileSystem.precedes($0.name, $1.name) }) {
      throw .unexpectedTensor(first.name, file: first.file)
    }
  }
}

/// A name compared byte by byte, as `String` does not.
private struct NameBytes: Hashable {
  let bytes: [UInt8]
  init(_ name: String) { bytes = Array(name.utf8) }
}
