/// Byte strings by prefix: finds every stored string that starts at a position of a text.
struct ByteTrie: Sendable {
  /// Children of a node lie together, in the order of their bytes.
  private var firstChild: [Int32] = [0]
  private var childCount: [UInt16] = [0]
  private var bytes: [UInt8] = [0]
  private var values: [Int32] = [-1]

  /// Entries with the same bytes keep the last value. Values are not negative.
  init(_ entries: [(bytes: [UInt8], value: Int32)]) {
    var sorted = entries.enumerated().map { ($0.offset, $0.element.bytes, $0.element.value) }
    sorted.sort { a, b in
      if a.1 == b.1 { return a.0 < b.0 }
      return a.1.lexicographicallyPrecedes(b.1)
    }
    // Breadth first: a node and the range of entries below it.
    var queue: [(node: Int, range: Range<Int>, depth: Int)] = [(0, 0..<sorted.count, 0)]
    var head = 0
    while head < queue.count {
      var (node, range, depth) = queue[head]
      head += 1
      while let first = range.first, sorted[first].1.count == depth {
        values[node] = sorted[first].2
        range = (first + 1)..<range.upperBound
      }
      firstChild[node] = Int32(truncatingIfNeeded: bytes.count)
      var start = range.lowerBound
      while start < range.upperBound {
        let byte = sorted[start].1[depth]
        var end = start + 1
        while end < range.upperBound, sorted[end].1[depth] == byte { end += 1 }
        queue.append((bytes.count, start..<end, depth + 1))
        childCount[node] += 1
        bytes.append(byte)
        firstChild.append(0)
        childCount.append(0)
        values.append(-1)
        start = end
      }
    }
  }

  static let root = 0

  /// The child of `node` for `byte`.
  @inline(__always)
  func child(_ node: Int, _ byte: UInt8) -> Int? {
    var low = Int(firstChild[node])
    let count = Int(childCount[node])
    if count == 256 { return low + Int(byte) }
    var high = low + count
    while low < high {
      let middle = (low + high) >> 1
      let b = bytes[middle]
      if b == byte { return middle }
      if b < byte { low = middle + 1 } else { high = middle }
    }
    return nil
  }

  /// The value stored at `node`.
  @inline(__always)
  func value(_ node: Int) -> Int32? {
    let v = values[node]
    return v < 0 ? nil : v
  }

  /// The node that `prefix` leads to.
  func node(after prefix: some Sequence<UInt8>) -> Int? {
    var node = Self.root
    for b in prefix {
      guard let next = child(node, b) else { return nil }
      node = next
    }
    return node
  }

  /// The longest stored string that starts at `start` and ends by `end`.
  func longestMatch(in text: [UInt8], from start: Int, to end: Int, node: Int = root) -> (end: Int, value: Int32)? {
    var node = node
    var at = start
    var best: (Int, Int32)?
    if let v = value(node), node != Self.root { best = (at, v) }
    while at < end, let next = child(node, text[at]) {
      node = next
      at += 1
      if let v = value(node) { best = (at, v) }
    }
    return best
  }
}
