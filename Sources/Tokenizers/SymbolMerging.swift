/// Joins neighbouring symbols, best pair first, leftmost first among equals, until none can be joined.
///
/// Time: O(n log n) in the number of symbols; short pieces, which is nearly all of them, are scanned.
struct SymbolMerging {
  /// A symbol covers `length` bytes of the piece from `start`.
  struct Symbol {
    var id: Int32
    var start: Int32
    var length: Int32
    var next: Int32
    var previous: Int32
  }

  private(set) var symbols: [Symbol] = []
  private var heap: [UInt64] = []
  private var ranks: [UInt32] = []

  mutating func removeAll() { symbols.removeAll(keepingCapacity: true) }

  mutating func append(id: Int32, start: Int, length: Int) {
    let index = Int32(truncatingIfNeeded: symbols.count)
    if index > 0 { symbols[Int(index) - 1].next = index }
    symbols.append(
      Symbol(
        id: id, start: Int32(truncatingIfNeeded: start), length: Int32(truncatingIfNeeded: length), next: -1,
        previous: index - 1))
  }

  /// - Parameter joined: the rank (lower is earlier) and the id of two neighbours joined; nil when they
  ///   cannot be. A rank of `UInt32.max` is not allowed.
  mutating func merge(_ joined: (Symbol, Symbol) -> (rank: UInt32, id: Int32)?) {
    if symbols.count < 2 { return }
    if symbols.count <= 48 { mergeByScanning(joined) } else { mergeByHeap(joined) }
  }

  /// Calls `body` with every symbol that is left, in order.
  func forEach(_ body: (Symbol) -> Void) {
    var i: Int32 = symbols.isEmpty ? -1 : 0
    while i >= 0 {
      body(symbols[Int(i)])
      i = symbols[Int(i)].next
    }
  }

  private mutating func join(_ left: Int, id: Int32) {
    let right = Int(symbols[left].next)
    symbols[left].id = id
    symbols[left].length += symbols[right].length
    symbols[right].length = -1
    let after = symbols[right].next
    symbols[left].next = after
    if after >= 0 { symbols[Int(after)].previous = Int32(truncatingIfNeeded: left) }
  }

  private func pair(at left: Int, _ joined: (Symbol, Symbol) -> (rank: UInt32, id: Int32)?) -> (UInt32, Int32)? {
    let next = symbols[left].next
    guard next >= 0, let j = joined(symbols[left], symbols[Int(next)]) else { return nil }
    return (j.rank, j.id)
  }

  private mutating func mergeByScanning(_ joined: (Symbol, Symbol) -> (rank: UInt32, id: Int32)?) {
    ranks.removeAll(keepingCapacity: true)
    for i in symbols.indices { ranks.append(pair(at: i, joined)?.0 ?? .max) }
    while true {
      var best = 0
      for i in ranks.indices where ranks[i] < ranks[best] { best = i }
      guard ranks[best] != .max, let (_, id) = pair(at: best, joined) else { return }
      ranks[Int(symbols[best].next)] = .max
      join(best, id: id)
      ranks[best] = pair(at: best, joined)?.0 ?? .max
      let previous = Int(symbols[best].previous)
      if previous >= 0 { ranks[previous] = pair(at: previous, joined)?.0 ?? .max }
    }
  }

  private mutating func mergeByHeap(_ joined: (Symbol, Symbol) -> (rank: UInt32, id: Int32)?) {
    heap.removeAll(keepingCapacity: true)
    for i in symbols.indices { if let (rank, _) = pair(at: i, joined) { push(rank, i) } }
    while let top = pop() {
      let left = Int(top & 0xFFFF_FFFF)
      // An entry is out of date when its symbol is gone or has another neighbour by now.
      guard symbols[left].length >= 0, let (rank, id) = pair(at: left, joined), UInt64(rank) == top >> 32 else {
        continue
      }
      join(left, id: id)
      if let (rank, _) = pair(at: left, joined) { push(rank, left) }
      let previous = Int(symbols[left].previous)
      if previous >= 0, let (rank, _) = pair(at: previous, joined) { push(rank, previous) }
    }
  }

  private mutating func push(_ rank: UInt32, _ left: Int) {
    let key = UInt64(rank) << 32 | UInt64(left)
    heap.append(key)
    var i = heap.count - 1
    while i > 0 {
      let parent = (i - 1) / 2
      if heap[parent] <= key { break }
      heap[i] = heap[parent]
      i = parent
    }
    heap[i] = key
  }

  private mutating func pop() -> UInt64? {
    guard let top = heap.first, let last = heap.popLast() else { return nil }
    if heap.isEmpty { return top }
    var i = 0
    while true {
      var child = 2 * i + 1
      if child >= heap.count { break }
      if child + 1 < heap.count, heap[child + 1] < heap[child] { child += 1 }
      if heap[child] >= last { break }
      heap[i] = heap[child]
      i = child
    }
    heap[i] = last
    return top
  }
}
