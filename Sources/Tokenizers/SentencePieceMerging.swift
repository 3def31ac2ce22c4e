/// SentencePiece's byte pair encoding, where each token carries a score instead of each pair a rank: joins
/// the two neighbours that make the token of greatest score.
struct SentencePieceMerging: Sendable {
  let vocabulary: Vocabulary
  /// By id; lower is earlier, and the greatest value never.
  private let ranks: [UInt32]
  private let tokenBytesMax: Int
  private let byteTokens: [Int32?]
  private let hasByteTokens: Bool
  private let unknown: Int32?

  /// - Parameters:
  ///   - scores: by id, the bits of IEEE 754 binary32 numbers.
  ///   - types: by id; unknown (2), control (3) and byte tokens (6) are never what pieces are joined to.
  init(vocabulary: Vocabulary, scores: [UInt32], types: [Int], unknown: Int32?) throws(TokenizerError) {
    guard scores.count == vocabulary.size else {
      throw .invalid(field: "scores", reason: "there are \(scores.count) for \(vocabulary.size) tokens")
    }
    self.vocabulary = vocabulary
    self.unknown = unknown
    var ranks: [UInt32] = []
    ranks.reserveCapacity(scores.count)
    var longest = 0
    for (id, bits) in scores.enumerated() {
      guard bits & 0x7FFF_FFFF <= 0x7F80_0000 else {
        throw .invalid(field: "scores", reason: "the score of token \(id) is not a number")
      }
      // Bits that order as the numbers do, with −0 as 0; then turned around.
      let order = bits == 0x8000_0000 ? 0x8000_0000 : bits >> 31 == 1 ? ~bits : bits | 0x8000_0000
      let isPiece = !types.indices.contains(id) || ![2, 3, 6].contains(types[id])
      ranks.append(isPiece ? min(~order, .max - 1) : .max)
      longest = max(longest, vocabulary.bytes(of: id)?.count ?? 0)
    }
    self.ranks = ranks
    tokenBytesMax = longest
    byteTokens = vocabulary.byteTokens()
    hasByteTokens = byteTokens.contains { $0 != nil }
  }

  func encode(
    _ text: [UInt8], _ range: Range<Int>, blocked: Set<Int32>, _ merging: inout SymbolMerging, into ids: inout [Int32]
  ) {
    func id(_ start: Int32, _ length: Int32) -> Int32? {
      guard Int(length) <= tokenBytesMax else { return nil }
      let start = Int(start)
      return vocabulary.id(of: text[start..<(start + Int(length))]).flatMap { blocked.contains($0) ? nil : $0 }
    }
    merging.removeAll()
    var at = range.lowerBound
    while at < range.upperBound {
      let length = UTF8Text.scalar(text, at: at).length
      let found = id(Int32(truncatingIfNeeded: at), Int32(truncatingIfNeeded: length))
      merging.append(id: found ?? -1, start: at, length: length)
      at += length
    }
    merging.merge { a, b in
      guard let joined = id(a.start, a.length + b.length), ranks[Int(joined)] != .max else { return nil }
      return (ranks[Int(joined)], joined)
    }
    var wasUnknown = false
    merging.forEach { symbol in
      if symbol.id >= 0 {
        ids.append(symbol.id)
        wasUnknown = false
        return
      }
      if !hasByteTokens {
        // Unknown pieces in a row are one.
        if let unknown, !wasUnknown { ids.append(unknown) }
        wasUnknown = true
        return
      }
      let start = Int(symbol.start)
      for b in text[start..<(start + Int(symbol.length))] {
        if let id = byteTokens[Int(b)] ?? unknown { ids.append(id) }
      }
    }
  }
}
