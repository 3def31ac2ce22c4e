/// Integers in ascending order, sorted only as far as they are taken.
///
/// A draw usually needs the first few of tens of thousands of candidates. One pass puts them into groups
/// by their leading bits; a group is sorted when it is reached.
struct OrderedCandidates {
  /// Group after group; sorted up to `sortedEnd`.
  private var keys: [UInt64]
  /// Where each group ends.
  private var groupEnds: [Int]
  private var group = 0
  private var sortedEnd = 0
  private var taken = 0

  private static let groupBits = 10

  init(_ unordered: [UInt64]) {
    let bits = UInt64.bitWidth - (unordered.max() ?? 0).leadingZeroBitCount
    let shift = UInt64(max(0, bits - OrderedCandidates.groupBits))
    var starts = [Int](repeating: 0, count: 1 << OrderedCandidates.groupBits)
    for key in unordered { starts[Int(key >> shift)] += 1 }
    var start = 0
    for g in starts.indices { (starts[g], start) = (start, start + starts[g]) }
    keys = unordered
    for key in unordered {
      let g = Int(key >> shift)
      keys[starts[g]] = key
      starts[g] += 1
    }
    // Every start has moved to the end of its group.
    groupEnds = starts
  }

  var count: Int { keys.count }

  /// Takes the smallest; nil when none is left.
  mutating func popFirst() -> UInt64? {
    while taken == sortedEnd {
      guard group < groupEnds.count else { return nil }
      let range = sortedEnd..<groupEnds[group]
      keys.withUnsafeMutableBufferPointer {
        var members = UnsafeMutableBufferPointer(rebasing: $0[range])
        members.sort()
      }
      sortedEnd = range.upperBound
      group += 1
    }
    taken += 1
    return keys[taken - 1]
  }
}
