/// Greedy longest match, as in BERT.
struct WordPiece: Sendable {
  let vocabulary: Vocabulary
  private let trie: ByteTrie
  private let unknown: Int32
  private let continuation: Int?
  private let scalarsPerWordMax: Int

  /// - Parameter continuationPrefix: what tokens that do not start a word begin with.
  init(
    vocabulary: Vocabulary, unknown: [UInt8], continuationPrefix: [UInt8], scalarsPerWordMax: Int
  ) throws(TokenizerError) {
    guard let id = vocabulary.id(of: unknown) else {
      throw .invalid(field: "model.unk_token", reason: "it is not in the vocabulary")
    }
    self.vocabulary = vocabulary
    self.unknown = id
    self.scalarsPerWordMax = scalarsPerWordMax
    var entries: [(bytes: [UInt8], value: Int32)] = []
    for id in 0..<vocabulary.size {
      if let bytes = vocabulary.bytes(of: id), !bytes.isEmpty { entries.append((Array(bytes), Int32(id))) }
    }
    trie = ByteTrie(entries)
    continuation = trie.node(after: continuationPrefix)
  }

  func encode(_ text: [UInt8], _ range: Range<Int>, blocked: Set<Int32>, into ids: inout [Int32]) {
    var scalars = 0
    for b in text[range] where b & 0xC0 != 0x80 { scalars += 1 }
    guard scalars <= scalarsPerWordMax else {
      ids.append(unknown)
      return
    }
    let count = ids.count
    var at = range.lowerBound
    while at < range.upperBound {
      let node = at == range.lowerBound ? ByteTrie.root : continuation
      guard let node, let match = longest(text, at, range.upperBound, node, blocked), match.end > at else {
        // One part unknown makes the whole word unknown.
        ids.removeLast(ids.count - count)
        ids.append(unknown)
        return
      }
      ids.append(match.id)
      at = match.end
    }
  }

  private func longest(
    _ text: [UInt8], _ start: Int, _ end: Int, _ node: Int, _ blocked: Set<Int32>
  ) -> (end: Int, id: Int32)? {
    var node = node
    var at = start
    var best: (Int, Int32)?
    while at < end, let next = trie.child(node, text[at]) {
      node = next
      at += 1
      if let id = trie.value(node), !blocked.contains(id), at == end || text[at] & 0xC0 != 0x80 { best = (at, id) }
    }
    return best
  }
}
