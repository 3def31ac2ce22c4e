import Digests

/// A token that is found in text before the model looks at it.
public struct AddedToken: Sendable {
  public let id: Int32
  /// UTF-8, compared as bytes.
  public let content: [UInt8]
  /// Control tokens: skipped when decoding, and never taken from text that is not trusted.
  public let isSpecial: Bool
  let isSingleWord: Bool
  let stripsLeft: Bool
  let stripsRight: Bool
  let isNormalized: Bool

  init(
    id: Int32, content: [UInt8], isSpecial: Bool, isSingleWord: Bool = false, stripsLeft: Bool = false,
    stripsRight: Bool = false, isNormalized: Bool = false
  ) {
    self.id = id
    self.content = content
    self.isSpecial = isSpecial
    self.isSingleWord = isSingleWord
    self.stripsLeft = stripsLeft
    self.stripsRight = stripsRight
    self.isNormalized = isNormalized
  }

  init(_ reader: DefinitionReader) throws(TokenizerError) {
    guard let id = try reader.integer("id") else { throw .missing(field: reader.field("id")) }
    guard id >= 0, id < Vocabulary.idsMax else {
      throw .invalid(field: reader.field("id"), reason: "\(id) is not between 0 and \(Vocabulary.idsMax - 1)")
    }
    let isSpecial = try reader.bool("special", default: false)
    self.init(
      id: Int32(id), content: try reader.requiredString("content"), isSpecial: isSpecial,
      isSingleWord: try reader.bool("single_word", default: false),
      stripsLeft: try reader.bool("lstrip", default: false),
      stripsRight: try reader.bool("rstrip", default: false),
      isNormalized: try reader.bool("normalized", default: !isSpecial))
  }
}

/// Finds added tokens in text.
struct AddedTokens: Sendable {
  static let contentBytesMax = 1024

  enum Part {
    case token(Int32)
    case text([UInt8], isTextStart: Bool)
  }

  /// In the order of the definition.
  let tokens: [AddedToken]
  /// Matched in the text as given, and in the text after normalization. Values index `tokens`.
  private let raw: ByteTrie
  private let normalized: ByteTrie
  private let hasNormalized: Bool

  init(_ tokens: [AddedToken], _ normalizer: Normalizer?) throws(TokenizerError) {
    var raw: [(bytes: [UInt8], value: Int32)] = []
    var normalized: [(bytes: [UInt8], value: Int32)] = []
    for (i, token) in tokens.enumerated() where !token.content.isEmpty {
      guard token.content.count <= Self.contentBytesMax else {
        throw .tooLarge(
          what: "bytes in one added token", count: token.content.count, countMax: Self.contentBytesMax)
      }
      if token.isNormalized {
        let content = normalizer?.apply(token.content) ?? token.content
        if !content.isEmpty, content.count <= 4 * Self.contentBytesMax { normalized.append((content, Int32(i))) }
      } else {
        raw.append((token.content, Int32(i)))
      }
    }
    self.tokens = tokens
    self.raw = ByteTrie(raw)
    self.normalized = ByteTrie(normalized)
    hasNormalized = !normalized.isEmpty
  }

  /// - Parameter allowSpecial: when false, special tokens are ordinary text.
  func split(_ text: [UInt8], _ normalizer: Normalizer?, allowSpecial: Bool) -> [Part] {
    var parts: [Part] = []
    split(text, isTextStart: true, raw, allowSpecial, &parts)
    guard normalizer != nil || hasNormalized else { return parts }
    var out: [Part] = []
    for part in parts {
      if case .text(let text, let isTextStart) = part {
        let isTextStart = isTextStart && normalizer?.dropsStart(of: text) != true
        split(normalizer?.apply(text) ?? text, isTextStart: isTextStart, normalized, allowSpecial, &out)
      } else {
        out.append(part)
      }
    }
    return out
  }

  private func split(
    _ text: [UInt8], isTextStart: Bool, _ trie: ByteTrie, _ allowSpecial: Bool, _ out: inout [Part]
  ) {
    var pending = 0
    var at = 0
    func appendText(to end: Int) {
      if pending == 0, end == text.count {
        if end > 0 { out.append(.text(text, isTextStart: isTextStart)) }
      } else if pending < end {
        out.append(.text(Array(text[pending..<end]), isTextStart: isTextStart && pending == 0))
      }
    }
    while at < text.count {
      guard let match = trie.longestMatch(in: text, from: at, to: text.count) else {
        at += 1
        continue
      }
      let token = tokens[Int(match.value)]
      var start = at
      var end = match.end
      at = end
      if token.isSpecial, !allowSpecial { continue }
      if token.isSingleWord, Self.isWord(before: start, text) || Self.isWord(at: end, text) { continue }
      if token.stripsLeft { start = max(Self.spaceStart(before: start, text), pending) }
      if token.stripsRight { end = Self.spaceEnd(from: end, text) }
      appendText(to: start)
      out.append(.token(token.id))
      pending = end
    }
    appendText(to: text.count)
  }

  private static func isWord(before at: Int, _ text: [UInt8]) -> Bool {
    at > 0 && UnicodeTables.has(.rustWord, UTF8Text.scalar(text, at: UTF8Text.index(before: at, in: text)).value)
  }

  private static func isWord(at: Int, _ text: [UInt8]) -> Bool {
    at < text.count && UnicodeTables.has(.rustWord, UTF8Text.scalar(text, at: at).value)
  }

  private static func spaceStart(before end: Int, _ text: [UInt8]) -> Int {
    var start = end
    while start > 0 {
      let previous = UTF8Text.index(before: start, in: text)
      guard UnicodeTables.has(.whitespace, UTF8Text.scalar(text, at: previous).value) else { break }
      start = previous
    }
    return start
  }

  private static func spaceEnd(from start: Int, _ text: [UInt8]) -> Int {
    var end = start
    while end < text.count {
      let s = UTF8Text.scalar(text, at: end)
      guard UnicodeTables.has(.whitespace, s.value) else { break }
      end += s.length
    }
    return end
  }
}
