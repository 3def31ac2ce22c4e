/// The numbers of one tensor, whose extent has been checked, where they lie.
///
/// Valid as long as the bytes.
struct TensorContent {
  let entry: TensorEntry
  private let weights: ModelBytes
  private let parts: [Range<Int>]

  init(_ entry: TensorEntry, _ weights: ModelBytes) {
    self.entry = entry
    self.weights = weights
    parts = entry.parts
  }

  func part<T>(_ index: Int, as: T.Type) -> UnsafeBufferPointer<T> {
    UnsafeRawBufferPointer(rebasing: weights.buffer[parts[index]]).bindMemory(to: T.self)
  }

  /// Of a gain or a bias.
  var vector: UnsafeBufferPointer<Int32> { part(0, as: Int32.self) }

  /// Of a matrix: one per row.
  var multipliers: UnsafeBufferPointer<UInt32> { part(parts.count - 1, as: UInt32.self) }

  /// Of a 4-bit weight.
  var groupMultipliers: UnsafeBufferPointer<UInt16> { part(1, as: UInt16.self) }

  /// Of a 4-bit weight; nil when its groups have none.
  var groupMinimums: UnsafeBufferPointer<UInt16>? { entry.kind == .linear4m ? part(2, as: UInt16.self) : nil }
}
