/// Which tiles are needed for what.
public enum TilePaths {
  /// The tiles for the proof that the entry at `index` is in a tree of `size` leaves; empty unless it is.
  public static func forInclusion(of index: UInt64, in size: UInt64) -> [TilePath] {
    index < size ? holding(ProofShape.inclusion(of: index, in: size), in: size) : []
  }

  /// The tiles for the proof that a tree of `old` leaves is the beginning of one of `size`; empty unless
  /// `0 < old ≤ size`.
  public static func forConsistency(from old: UInt64, to size: UInt64) -> [TilePath] {
    old > 0 && old <= size ? holding(ProofShape.consistency(of: 0..<old, in: size), in: size) : []
  }

  /// The tiles for the root of a tree of `size` leaves.
  public static func forRoot(of size: UInt64) -> [TilePath] { holding([0..<size], in: size) }

  /// The last tile of every level that has one in a tree of `size` leaves and is not full: what the tree grows from.
  public static func partial(in size: UInt64) -> [TilePath] {
    (0...7).compactMap { level in
      TilePath(.hashes(level: level), index: (size >> UInt64(8 * level)) >> 8, in: size)
    }
  }

  /// Each once, in the order of the ranges.
  static func holding(_ ranges: [Range<UInt64>], in size: UInt64) -> [TilePath] {
    var seen: Set<TilePath> = []
    return ranges.flatMap { MerkleNode.covering($0) }
      .compactMap { holding($0, in: size) }
      .filter { seen.insert($0).inserted }
  }

  /// The tile that a complete subtree of the tree lies in.
  static func holding(_ node: MerkleNode, in size: UInt64) -> TilePath? {
    let index = (node.index << UInt64(node.height % 8)) >> 8
    return TilePath(.hashes(level: node.height / 8), index: index, in: size)
  }
}
