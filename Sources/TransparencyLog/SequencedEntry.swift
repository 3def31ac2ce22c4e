/// What became of an entry.
public struct SequencedEntry: Sendable, Equatable {
  /// From 0; of a duplicate, that of the first.
  public let index: UInt64
  public let isDuplicate: Bool
}
