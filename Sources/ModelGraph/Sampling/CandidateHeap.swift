/// Integers in ascending order, ordered only as far as they are taken: a binary heap.
///
/// Building it is linear. A draw usually needs the first few of tens of thousands of candidates.
struct CandidateHeap {
  /// Each element is at most its children at 2i + 1 and 2i + 2.
  private var keys: [UInt64]

  init(_ keys: [UInt64]) {
    self.keys = keys
    for i in stride(from: keys.count / 2 - 1, through: 0, by: -1) { sink(i) }
  }

  var count: Int { keys.count }

  /// Takes the smallest; nil when none is left.
  mutating func popFirst() -> UInt64? {
    guard let first = keys.first, let last = keys.popLast() else { return nil }
    if !keys.isEmpty {
      keys[0] = last
      sink(0)
    }
    return first
  }

  private mutating func sink(_ start: Int) {
    keys.withUnsafeMutableBufferPointer { keys in
      let moving = keys[start]
      var i = start
      while true {
        var child = 2 * i + 1
        if child >= keys.count { break }
        if child + 1 < keys.count && keys[child + 1] < keys[child] { child += 1 }
        if moving <= keys[child] { break }
        keys[i] = keys[child]
        i = child
      }
      keys[i] = moving
    }
  }
}
