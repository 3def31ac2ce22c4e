/// Whole pages of keys and values, kept for sequences that begin alike.
///
/// A page is found by the page before it and its own tokens. The tokens themselves are compared, so a page
/// is only ever used after exactly the tokens it was computed from, and using it changes no result.
///
/// Not thread-safe: its owner is the scheduler's thread.
struct PrefixCache {
  private struct Key: Hashable {
    /// The entry of the page before; 0 for the first page of a sequence.
    let parent: Int
    /// As many as a page has positions.
    let tokens: ArraySlice<Int32>
  }

  private struct Entry {
    let key: Key
    var page: Page
    /// Neighbours in the order of last use.
    var older: Int?
    var newer: Int?
  }

  private let pageBytes: Int
  private let pagesMax: Int
  private var ids: [Key: Int] = [:]
  private var entries: [Int: Entry] = [:]
  /// Never given twice, so that no key outlives its parent.
  private var lastID = 0
  private var oldest: Int?
  private var newest: Int?
  /// Pages forgotten to make room, ever.
  private(set) var evictions = 0

  /// - Parameters:
  ///   - pageBytes: of one page, at least 1.
  ///   - bytesMax: what the kept pages may take together.
  init(pageBytes: Int, bytesMax: Int) {
    self.pageBytes = pageBytes
    pagesMax = bytesMax / pageBytes
  }

  var isOff: Bool { pagesMax == 0 }
  /// Pages that sequences use at the moment are counted, too.
  var byteCount: Int { entries.count * pageBytes }

  /// The pages of `tokens` from page `first` on, as far as they are kept; page `end` is not wanted any more.
  mutating func pages(of tokens: [Int32], from first: Int, to end: Int) -> [Page] {
    var path: [Int] = []
    while path.count < end, let id = ids[PrefixCache.key(path, tokens)] { path.append(id) }
    use(path)
    return path.dropFirst(first).compactMap { entries[$0]?.page }
  }

  /// Keeps the whole pages of a sequence that consists of the first of `tokens`.
  ///
  /// Where a page is kept already, the sequence changes over to that one and its own is freed.
  mutating func keep(_ sequence: SequenceState, tokens: [Int32]) {
    var path: [Int] = []
    for index in 0..<min(pagesMax, sequence.count / PageLayout.positions) {
      let key = PrefixCache.key(path, tokens)
      if let id = ids[key], let entry = entries[id] {
        sequence.share(entry.page, at: index)
        path.append(id)
      } else {
        path.append(insert(key, sequence.page(at: index)))
      }
    }
    use(path)
    while entries.count > pagesMax, let id = oldest { evict(id) }
  }

  /// Forgets pages that no sequence uses, the least recently used first, until those that are left take at
  /// most so many bytes.
  mutating func limitUnused(toBytes bytesMax: Int) {
    if byteCount <= bytesMax { return }
    var unused: [Int] = []
    var next = oldest
    while let id = next {
      if isUnused(id) { unused.append(id) }
      next = entries[id]?.newer
    }
    for id in unused.prefix(max(0, unused.count - bytesMax / pageBytes)) { evict(id) }
  }

  mutating func removeAll() {
    ids = [:]
    entries = [:]
    (oldest, newest) = (nil, nil)
  }

  private static func key(_ path: [Int], _ tokens: [Int32]) -> Key {
    let start = path.count * PageLayout.positions
    return Key(parent: path.last ?? 0, tokens: tokens[start..<(start + PageLayout.positions)])
  }

  /// Whether nobody but this cache holds the page.
  private mutating func isUnused(_ id: Int) -> Bool {
    guard entries[id] != nil else { return false }
    return isKnownUniquelyReferenced(&entries[id]!.page)
  }

  // MARK: Order of last use

  private mutating func insert(_ key: Key, _ page: Page) -> Int {
    lastID += 1
    // A slice would keep the whole prompt.
    let key = Key(parent: key.parent, tokens: Array(key.tokens)[...])
    ids[key] = lastID
    entries[lastID] = Entry(key: key, page: page)
    link(lastID)
    return lastID
  }

  /// The first page last: a page is always newer than those that follow it, so the oldest has none.
  private mutating func use(_ path: [Int]) {
    for id in path.reversed() {
      unlink(id)
      link(id)
    }
  }

  private mutating func evict(_ id: Int) {
    unlink(id)
    if let entry = entries.removeValue(forKey: id) { ids[entry.key] = nil }
    evictions += 1
  }

  private mutating func link(_ id: Int) {
    entries[id]?.older = newest
    entries[id]?.newer = nil
    if let newest { entries[newest]?.newer = id } else { oldest = id }
    newest = id
  }

  private mutating func unlink(_ id: Int) {
    guard let entry = entries[id] else { return }
    if let older = entry.older { entries[older]?.newer = entry.newer } else { oldest = entry.newer }
    if let newer = entry.newer { entries[newer]?.older = entry.older } else { newest = entry.older }
  }
}
