/// The place of a complete subtree: leaves `index · 2^height ..< (index + 1) · 2^height`.
struct MerkleNode: Hashable, Sendable {
  /// 0 is a leaf.
  let height: Int
  let index: UInt64

  /// The complete subtrees that `range` consists of, from left to right. At most 127.
  static func covering(_ range: Range<UInt64>) -> [MerkleNode] {
    var nodes: [MerkleNode] = []
    var start = range.lowerBound
    while start < range.upperBound {
      let left = range.upperBound - start
      let height = min(start.trailingZeroBitCount, UInt64.bitWidth - 1 - left.leadingZeroBitCount)
      nodes.append(MerkleNode(height: height, index: start >> UInt64(height)))
      start += 1 << UInt64(height)
    }
    return nodes
  }
}

/// Where the hashes of complete subtrees come from.
protocol MerkleNodeSource {
  associatedtype Failure: Error
  func hash(of node: MerkleNode) throws(Failure) -> MerkleHash
}

extension MerkleNodeSource {
  /// The Merkle tree hash of the leaves `range`, which is a valid subtree or the right part of one.
  ///
  /// Source: RFC 6962, section 2.1.
  func hash(of range: Range<UInt64>) throws(Failure) -> MerkleHash {
    let nodes = MerkleNode.covering(range)
    guard let last = nodes.last else { return .emptyRoot }
    var hash = try hash(of: last)
    for node in nodes.dropLast().reversed() { hash = .node(try self.hash(of: node), hash) }
    return hash
  }

  func hashes(of ranges: [Range<UInt64>]) throws(Failure) -> [MerkleHash] {
    var out: [MerkleHash] = []
    for range in ranges { out.append(try hash(of: range)) }
    return out
  }
}
