/// What became of an entry.
public struct SequencedEntry: Sendable, Equatable {
  /// From 0; of a duplicate, that of the first.
  public let index: UInt64
  public let isDuplicate: Bool

  public init(index: UInt64, isDuplicate: Bool) {
    self.index = index
    self.isDuplicate = isDuplicate
  }
}
