/// A model whose manifest and bounds have been checked and whose weights are at hand.
///
/// The content of the weights needs no check: every bound of docs/spec/arithmetic.md, section 9, holds
/// for any int8 weights; multipliers and gains are checked here.
public struct ModelImage: Sendable {
  public let manifest: ModelManifest
  public let weights: ModelBytes
  public let graph: Graph
  private let entries: [String: TensorEntry]

  /// - Throws: ``ModelRejection`` naming the tensor and the bound.
  public init(manifest: ModelManifest, weights: ModelBytes) throws(ModelRejection) {
    try Bounds.check(manifest.config, manifest)
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
    guard let architecture = Architectures.all[manifest.architecture] else {
      throw .unsupportedArchitecture(manifest.architecture, known: Architectures.all.keys.sorted())
    }
    for wanted in architecture.tensors(manifest.config) {
      guard let found = entries[wanted.name] else { throw .missingTensor(wanted.name) }
      guard found.kind == wanted.kind && found.shape == wanted.shape else {
        throw .wrongShape(
          wanted.name, found: "\(found.kind.rawValue) \(found.shape)",
          expected: "\(wanted.kind.rawValue) \(wanted.shape)")
      }
    }
    let wantedCount = architecture.tensors(manifest.config).count
    guard entries.count == wantedCount else {
      let wanted = Set(architecture.tensors(manifest.config).map(\.name))
      throw .unknownTensor(entries.keys.filter { !wanted.contains($0) }.min() ?? "")
    }
    self.manifest = manifest
    self.weights = weights
    self.entries = entries
    graph = architecture.graph(manifest.config)
    for tensor in manifest.tensors { try Bounds.checkContent(of: tensor, in: self) }
  }

  /// Every byte that belongs to no number is zero, so that equal models have equal weights.
  ///
  /// - Parameter tensors: checked to lie apart from each other within the weights.
  private static func requireZerosBetween(_ tensors: [TensorEntry], _ weights: ModelBytes) throws(ModelRejection) {
    var gaps: [Range<Int>] = []
    var end = 0
    for tensor in tensors.sorted(by: { $0.offset < $1.offset }) {
      gaps += [end..<tensor.offset, tensor.padding]
      end = tensor.offset + tensor.bytes
    }
    for gap in gaps + [end..<weights.count] {
      for offset in gap where weights.buffer[offset] != 0 { throw .gapNotZero(offset: offset) }
    }
  }

  /// The int8 weight of that name; the name must be one of the graph's.
  public func linear8(_ name: String) -> Linear8 {
    let entry = entry(name, .linear8)
    let (rows, columns) = (entry.shape[0], entry.shape[1])
    let values = part(entry, 0, rows * columns, as: Int8.self)
    let multipliers = part(entry, TensorEntry.paddedTo64(rows * columns), rows, as: UInt32.self)
    return Linear8(
      rows: rows, columns: columns, exponent: entry.exponent, values: values, multipliers: multipliers, owner: weights)
  }

  public func table16(_ name: String) -> Table16 {
    let entry = entry(name, .table16)
    let (rows, columns) = (entry.shape[0], entry.shape[1])
    let values = part(entry, 0, rows * columns, as: Int16.self)
    let multipliers = part(entry, TensorEntry.paddedTo64(2 * rows * columns), rows, as: UInt32.self)
    return Table16(
      rows: rows, columns: columns, exponent: entry.exponent, values: values, multipliers: multipliers, owner: weights)
  }

  public func gain(_ name: String) -> Gain {
    let entry = entry(name, .gain)
    return Gain(exponent: entry.exponent, values: part(entry, 0, entry.shape[0], as: Int32.self), owner: weights)
  }

  private func entry(_ name: String, _ kind: TensorEntry.Kind) -> TensorEntry {
    guard let entry = entries[name], entry.kind == kind else {
      preconditionFailure("the graph names a tensor that was not checked: \(name)")
    }
    return entry
  }

  private func part<T>(_ entry: TensorEntry, _ start: Int, _ count: Int, as: T.Type) -> UnsafeBufferPointer<T> {
    let bytes = UnsafeRawBufferPointer(
      rebasing: weights.buffer[(entry.offset + start)..<(entry.offset + start + count * MemoryLayout<T>.stride)])
    return bytes.bindMemory(to: T.self)
  }
}

/// w[rows][columns] int8, row-major, with a multiplier per row: real value w · M · 2^-exponent.
public struct Linear8: @unchecked Sendable {
  public let rows: Int
  public let columns: Int
  public let exponent: Int
  /// Shape: rows × columns.
  public let values: UnsafeBufferPointer<Int8>
  /// Shape: rows.
  public let multipliers: UnsafeBufferPointer<UInt32>
  let owner: ModelBytes

  /// s of docs/spec/arithmetic.md, section 4.3: the smallest shift that keeps every output below 2^30.
  public var shift: Int {
    let bound = 32767 * 128 * columns * Int(multipliers.max() ?? 0)
    var s = 0
    while bound > ((1 << 30) - 1) << s { s += 1 }
    return s
  }
}

/// w[rows][columns] int16 with a multiplier per row.
public struct Table16: @unchecked Sendable {
  public let rows: Int
  public let columns: Int
  public let exponent: Int
  public let values: UnsafeBufferPointer<Int16>
  public let multipliers: UnsafeBufferPointer<UInt32>
  let owner: ModelBytes
}

/// g[n] int32: γ · √n in units of 2^-exponent.
public struct Gain: @unchecked Sendable {
  public let exponent: Int
  public let values: UnsafeBufferPointer<Int32>
  let owner: ModelBytes
}
