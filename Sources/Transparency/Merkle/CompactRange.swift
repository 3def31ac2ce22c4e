/// The right edge of a growing tree: enough to append and to know the root, in at most 64 hashes.
public struct CompactRange: Sendable, Equatable {
  /// The number of leaves.
  public private(set) var size: UInt64 = 0
  /// The roots of the complete subtrees, largest first: one for each bit of `size`.
  public private(set) var hashes: [MerkleHash] = []

  public init() {}

  /// - Returns: nil unless there is one hash for each bit that is set in `size`, at most 2^63 - 1.
  public init?(size: UInt64, hashes: [MerkleHash]) {
    guard size <= CanonicalDecimal.valueMax, hashes.count == size.nonzeroBitCount else { return nil }
    self.size = size
    self.hashes = hashes
  }

  public mutating func append(_ leaf: MerkleHash) {
    var hash = leaf
    // Every bit that the addition carries through is a subtree that becomes part of a larger one.
    for _ in 0..<(~size).trailingZeroBitCount { hash = .node(hashes.removeLast(), hash) }
    hashes.append(hash)
    size += 1
  }

  public var root: MerkleHash {
    guard var hash = hashes.last else { return .emptyRoot }
    for left in hashes.dropLast().reversed() { hash = .node(left, hash) }
    return hash
  }
}
