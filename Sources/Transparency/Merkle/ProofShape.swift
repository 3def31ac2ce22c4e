/// Which parts of a tree a proof is made of: ranges of leaves, whose hashes are its lines in their order.
enum ProofShape {
  /// The audit path of a leaf, from its sibling upward.
  ///
  /// Source: RFC 6962, section 2.1.1.
  static func inclusion(of index: UInt64, in size: UInt64) -> [Range<UInt64>] {
    precondition(index < size)
    var path: [Range<UInt64>] = []
    var range = 0..<size
    while range.upperBound - range.lowerBound > 1 {
      let middle = range.lowerBound + largestPowerOfTwo(below: range.upperBound - range.lowerBound)
      if index < middle {
        path.append(middle..<range.upperBound)
        range = range.lowerBound..<middle
      } else {
        path.append(range.lowerBound..<middle)
        range = middle..<range.upperBound
      }
    }
    return path.reversed()
  }

  /// What shows that a subtree stands in the tree of `size` leaves. With a subtree that starts at 0 this is
  /// the consistency proof of RFC 6962, section 2.1.2.
  ///
  /// Source: draft-ietf-plants-merkle-tree-certs, "Subtree Consistency Proofs".
  static func consistency(of subtree: Range<UInt64>, in size: UInt64) -> [Range<UInt64>] {
    precondition(!subtree.isEmpty && subtree.upperBound <= size && subtree.isSubtree)
    var path: [Range<UInt64>] = []
    var wanted = subtree
    var range = 0..<size
    var isKnown = true
    while wanted != range {
      let middle = range.lowerBound + largestPowerOfTwo(below: range.upperBound - range.lowerBound)
      if wanted.upperBound <= middle {
        path.append(middle..<range.upperBound)
        range = range.lowerBound..<middle
      } else {
        path.append(range.lowerBound..<middle)
        range = middle..<range.upperBound
        if wanted.lowerBound < middle {
          // The left half is whole in both: what is left to show is no longer the subtree itself.
          wanted = middle..<wanted.upperBound
          isKnown = false
        }
      }
    }
    if !isKnown { path.append(range) }
    return path.reversed()
  }

  /// - Parameter count: at least 2.
  private static func largestPowerOfTwo(below count: UInt64) -> UInt64 {
    1 << UInt64(UInt64.bitWidth - 1 - (count - 1).leadingZeroBitCount)
  }
}

extension Range<UInt64> {
  /// Whether the range starts at a multiple of the smallest power of two that is not below its length.
  /// Empty ranges do.
  ///
  /// Source: draft-ietf-plants-merkle-tree-certs, "Subtrees".
  var isSubtree: Bool {
    let length = upperBound - lowerBound
    guard length > 1 else { return true }
    let bits = UInt64.bitWidth - (length - 1).leadingZeroBitCount
    return lowerBound == 0 || lowerBound.trailingZeroBitCount >= bits
  }
}
