/// What SentencePiece does to text before it looks for pieces: its rules, then its spaces.
///
/// Source: Kudo and Richardson, "SentencePiece" (2018), section 3; the settings are those of a model's
/// `normalizer_spec`.
struct SentencePieceNormalizer: Sendable {
  let rules: CharacterMap?
  let addsPrefix: Bool
  /// No space at either end, and none after another.
  let removesExtraSpaces: Bool
  /// What no rule rewrites: user-defined pieces.
  var kept: ByteTrie?

  static let metaspace: [UInt8] = [0xE2, 0x96, 0x81]

  func apply(_ text: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(text.count + text.count / 4 + 3)
    var at = 0
    if removesExtraSpaces {
      while at < text.count {
        let (piece, end) = prefix(text, at)
        guard piece.elementsEqual([0x20]) else { break }
        at = end
      }
    }
    guard at < text.count else { return [] }
    if addsPrefix { out.append(contentsOf: Self.metaspace) }
    var wasSpace = removesExtraSpaces
    while at < text.count {
      var (piece, end) = prefix(text, at)
      while wasSpace, piece.first == 0x20 { piece.removeFirst() }
      for b in piece { if b == 0x20 { out.append(contentsOf: Self.metaspace) } else { out.append(b) } }
      if !piece.isEmpty { wasSpace = removesExtraSpaces && piece.last == 0x20 }
      at = end
    }
    if removesExtraSpaces {
      while out.count >= 3, out[(out.count - 3)...].elementsEqual(Self.metaspace) { out.removeLast(3) }
    }
    return out
  }

  /// What the text at `at` becomes, and where the rest begins.
  private func prefix(_ text: [UInt8], _ at: Int) -> (ArraySlice<UInt8>, Int) {
    if let match = kept?.longestMatch(in: text, from: at, to: text.count) { return (text[at..<match.end], match.end) }
    if let (end, replacement) = rules?.longestRule(text, from: at, to: text.count) { return (replacement, end) }
    let end = at + UTF8Text.scalar(text, at: at).length
    return (text[at..<end], end)
  }
}
