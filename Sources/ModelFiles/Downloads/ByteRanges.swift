/// A set of bytes of a file, as few ascending ranges as possible.
public struct ByteRanges: Equatable, Sendable {
  /// Ascending; there is a gap between any two; none is empty.
  public private(set) var ranges: [Range<Int>] = []

  public init() {}

  public var count: Int { ranges.reduce(0) { $0 + $1.count } }

  /// Adds the bytes of `range`, of which some may be there already.
  public mutating func insert(_ range: Range<Int>) {
    guard !range.isEmpty else { return }
    // Everything that touches the new range melts into it.
    let first = ranges.firstIndex { $0.upperBound >= range.lowerBound } ?? ranges.count
    let end = ranges[first...].firstIndex { $0.lowerBound > range.upperBound } ?? ranges.count
    var merged = range
    if first < end {
      merged = min(range.lowerBound, ranges[first].lowerBound)..<max(range.upperBound, ranges[end - 1].upperBound)
    }
    ranges.replaceSubrange(first..<end, with: [merged])
  }

  /// What of 0 ..< `bytes` is not in the set.
  public func missing(below bytes: Int) -> [Range<Int>] {
    var (gaps, start) = ([Range<Int>](), 0)
    for range in ranges {
      if start < min(range.lowerBound, bytes) { gaps.append(start..<min(range.lowerBound, bytes)) }
      start = range.upperBound
    }
    if start < bytes { gaps.append(start..<bytes) }
    return gaps
  }
}
