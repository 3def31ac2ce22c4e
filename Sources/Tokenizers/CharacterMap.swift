/// SentencePiece's compiled normalization rules: a double-array trie from text to replacements.
///
/// The bytes are a UInt32 (little-endian) with the size of the trie, its units of 32 bits, then the
/// replacements, each ended by a zero byte. Source: the format of Darts-clone, as SentencePiece writes it.
struct CharacterMap: Sendable {
  static let bytesMax = 16 << 20
  /// No rule is longer; bounds the time that one position of a text can take.
  private static let ruleBytesMax = 256

  private let units: [UInt32]
  private let replacements: [UInt8]

  init(_ bytes: [UInt8]) throws(TokenizerError) {
    func invalid(_ reason: String) -> TokenizerError { .invalid(field: "precompiled_charsmap", reason: reason) }
    guard bytes.count <= Self.bytesMax else {
      throw .tooLarge(what: "bytes of normalization rules", count: bytes.count, countMax: Self.bytesMax)
    }
    guard bytes.count >= 4 else { throw invalid("it ends early") }
    let size = Int(Self.unit(bytes, 0))
    guard size % 4 == 0, size >= 4, size <= bytes.count - 4 else { throw invalid("its trie does not fit") }
    units = (0..<(size / 4)).map { Self.unit(bytes, 4 + 4 * $0) }
    replacements = Array(bytes[(4 + size)...])
    guard replacements.isEmpty || replacements.last == 0, String(validating: replacements, as: UTF8.self) != nil else {
      throw invalid("its replacements are not text, each ended by a zero byte")
    }
    // Units with the highest bit set hold where a replacement begins.
    for unit in units where unit >> 31 == 1 {
      let start = Int(unit & 0x7FFF_FFFF)
      guard start < replacements.count, replacements[start] & 0xC0 != 0x80 else {
        throw invalid("a rule points beyond its replacements")
      }
    }
  }

  private static func unit(_ bytes: [UInt8], _ at: Int) -> UInt32 {
    UInt32(bytes[at]) | UInt32(bytes[at + 1]) << 8 | UInt32(bytes[at + 2]) << 16 | UInt32(bytes[at + 3]) << 24
  }

  /// Calls `body` with every rule that `text` has at `start`, shortest first, until it returns false.
  private func forEachRule(
    _ text: [UInt8], from start: Int, to end: Int, _ body: (_ end: Int, _ replacement: Int) -> Bool
  ) {
    guard let root = units.first else { return }
    var node = Self.offset(root)
    for at in start..<min(end, start + Self.ruleBytesMax) {
      let byte = text[at]
      guard byte != 0 else { return }
      node ^= Int(byte)
      guard node < units.count, units[node] & 0x8000_00FF == UInt32(byte) else { return }
      let unit = units[node]
      node ^= Self.offset(unit)
      if unit >> 8 & 1 == 1 {
        guard node < units.count, units[node] >> 31 == 1 else { return }
        // A rule that ends inside a character would leave what is not text.
        let isWhole = at + 1 == text.count || text[at + 1] & 0xC0 != 0x80
        if isWhole, !body(at + 1, Int(units[node] & 0x7FFF_FFFF)) { return }
      }
    }
  }

  private static func offset(_ unit: UInt32) -> Int { Int(unit >> 10) << Int((unit & 0x200) >> 6) }

  private func replacement(_ start: Int) -> ArraySlice<UInt8> {
    var end = start
    while end < replacements.count, replacements[end] != 0 { end += 1 }
    return replacements[start..<end]
  }

  /// The longest rule at `start`.
  func longestRule(_ text: [UInt8], from start: Int, to end: Int) -> (end: Int, replacement: ArraySlice<UInt8>)? {
    var found: (Int, Int)?
    forEachRule(text, from: start, to: end) { ruleEnd, replacement in
      found = (ruleEnd, replacement)
      return true
    }
    return found.map { ($0.0, replacement($0.1)) }
  }

  private func shortestRule(_ text: [UInt8], _ range: Range<Int>) -> ArraySlice<UInt8>? {
    var found: Int?
    forEachRule(text, from: range.lowerBound, to: range.upperBound) { _, replacement in
      found = replacement
      return false
    }
    return found.map { replacement($0) }
  }

  /// Hugging Face's normalizer Precompiled. It gives the replacement of the shortest rule that a short
  /// grapheme cluster starts with to the whole cluster; ids depend on it, so we do the same.
  func appliedToGraphemes(_ text: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(text.count)
    Graphemes.forEach(in: text) { cluster in
      if cluster.count < 6, let replacement = shortestRule(text, cluster) {
        out.append(contentsOf: replacement)
        return
      }
      var at = cluster.lowerBound
      while at < cluster.upperBound {
        let end = at + UTF8Text.scalar(text, at: at).length
        out.append(contentsOf: shortestRule(text, at..<end) ?? text[at..<end])
        at = end
      }
    }
    return out
  }
}
