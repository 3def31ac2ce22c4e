/// A model whose manifest and bounds have been checked and whose weights are at hand.
///
/// The content of the weights needs no check: every bound of docs/spec/arithmetic.md, section 9, holds
/// for any 4-bit, int8 or int16 weights; multipliers, gains and biases are checked here.
public struct ModelImage: Sendable {
  public let manifest: ModelManifest
  public let weights: ModelBytes
  public let graph: Graph
  private let entries: [String: TensorEntry]
  /// s1 and s2 of the weights that have them: finding them takes a pass over groups or multipliers.
  private let shifts: [String: TwoShifts]

  /// - Throws: ``ModelRejection`` naming the tensor and the bound.
  public init(manifest: ModelManifest, weights: ModelBytes) throws(ModelRejection) {
    let architecture = try Bounds.check(manifest)
    guard weights.count == manifest.blobs.weights.bytes else {
      throw .weightsSize(found: weights.count, stated: manifest.blobs.weights.bytes)
    }
    var entries: [String: TensorEntry] = [:]
    var end = 0
    for tensor in manifest.tensors.sorted(by: { $0.offset < $1.offset }) {
      try Bounds.check(tensor, weightsBytes: weights.count)
      guard tensor.offset >= end else { throw .tensorsOverlap(tensor.name) }
      end = tensor.offset + tensor.bytes
      guard entries.updateValue(tensor, forKey: tensor.name) == nil else { throw .duplicateTensor(tensor.name) }
    }
    try ModelImage.requireZerosBetween(manifest.tensors, weights)
    let built = architecture.built(manifest.config)
    for wanted in built.tensors {
      guard let found = entries[wanted.name] else { throw .missingTensor(wanted.name) }
      guard wanted.kinds.contains(found.kind) && found.shape == wanted.shape else {
        throw .wrongShape(
          wanted.name, found: "\(found.kind.rawValue) \(found.shape)",
          expected: "\(wanted.kinds.map(\.rawValue).joined(separator: " or ")) \(wanted.shape)")
      }
    }
    guard entries.count == built.tensors.count else {
      let wanted = Set(built.tensors.map(\.name))
      throw .unknownTensor(entries.keys.filter { !wanted.contains($0) }.min() ?? "")
    }
    self.manifest = manifest
    self.weights = weights
    self.entries = entries
    graph = built.graph
    var shifts: [String: TwoShifts] = [:]
    for tensor in manifest.tensors {
      shifts[tensor.name] = try Bounds.check(TensorContent(tensor, weights))
    }
    self.shifts = shifts
  }

  /// Every byte that belongs to no number is zero, so that equal models have equal weights.
  ///
  /// - Parameter tensors: checked to lie apart from each other within the weights.
  private static func requireZerosBetween(_ tensors: [TensorEntry], _ weights: ModelBytes) throws(ModelRejection) {
    var gaps: [Range<Int>] = []
    var end = 0
    for tensor in tensors.sorted(by: { $0.offset < $1.offset }) {
      gaps += [end..<tensor.offset] + tensor.paddings
      end = tensor.offset + tensor.bytes
    }
    for gap in gaps + [end..<weights.count] {
      for offset in gap where weights.buffer[offset] != 0 { throw .gapNotZero(offset: offset) }
    }
  }

  /// The linear weight of that name; the name must be one of the graph's, as everywhere below.
  public func linear(_ name: String) -> LinearWeight {
    let entry = entry(name)
    if entry.kind == .linear8 { return .eight(linear8(name)) }
    let content = TensorContent(entry, weights)
    guard let shifts = shifts[name] else { preconditionFailure("not a linear weight: \(name)") }
    if entry.kind == .linear16 {
      return .sixteen(
        Linear16(
          rows: entry.shape[0], columns: entry.shape[1], exponent: entry.exponent,
          values: content.part(0, as: Int16.self), multipliers: content.multipliers, shifts: shifts, owner: weights))
    }
    return .four(
      Linear4(
        rows: entry.shape[0], columns: entry.shape[1], exponent: entry.exponent,
        values: content.part(0, as: UInt8.self), groupMultipliers: content.groupMultipliers,
        groupMinimums: content.groupMinimums, multipliers: content.multipliers, shifts: shifts, owner: weights))
  }

  public func linear8(_ name: String) -> Linear8 {
    let entry = entry(name, .linear8)
    let content = TensorContent(entry, weights)
    return Linear8(
      rows: entry.shape[0], columns: entry.shape[1], exponent: entry.exponent,
      values: content.part(0, as: Int8.self), multipliers: content.multipliers, owner: weights)
  }

  public func table16(_ name: String) -> Table16 {
    let entry = entry(name, .table16)
    let content = TensorContent(entry, weights)
    return Table16(
      rows: entry.shape[0], columns: entry.shape[1], exponent: entry.exponent,
      values: content.part(0, as: Int16.self), multipliers: content.multipliers, owner: weights)
  }

  public func gain(_ name: String) -> Gain {
    let entry = entry(name, .gain)
    return Gain(exponent: entry.exponent, values: TensorContent(entry, weights).vector, owner: weights)
  }

  public func bias(_ name: String) -> Bias {
    let entry = entry(name, .bias)
    return Bias(exponent: entry.exponent, values: TensorContent(entry, weights).vector, owner: weights)
  }

  private func entry(_ name: String, _ kind: TensorEntry.Kind? = nil) -> TensorEntry {
    guard let entry = entries[name], kind == nil || entry.kind == kind else {
      preconditionFailure("the graph names a tensor that was not checked: \(name)")
    }
    return entry
  }
}
