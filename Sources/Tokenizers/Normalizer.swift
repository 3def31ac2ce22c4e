import Digests

/// Rewrites text before it is cut into pieces.
indirect enum Normalizer: Sendable {
  case unicode(NormalizationForm)
  case lowercase
  case stripAccents
  case replace(TextPattern, [UInt8])
  case prepend([UInt8])
  case strip(left: Bool, right: Bool)
  case byteLevel
  case bert(BertNormalizer)
  /// The clean-up of "nmt" rules: control characters go, odd spaces become spaces.
  case nmt
  case precompiled(CharacterMap)
  /// Only vocabularies of SentencePiece models ask for it.
  case sentencePiece(SentencePieceNormalizer)
  case sequence([Normalizer])

  init(_ reader: DefinitionReader, depth: Int = 0) throws(TokenizerError) {
    guard depth < 8 else { throw .tooLarge(what: "nested sequences", count: depth, countMax: 8) }
    switch try reader.word("type") {
    case "NFC": self = .unicode(.nfc)
    case "NFD": self = .unicode(.nfd)
    case "NFKC": self = .unicode(.nfkc)
    case "NFKD": self = .unicode(.nfkd)
    case "Lowercase": self = .lowercase
    case "StripAccents": self = .stripAccents
    case "Replace": self = .replace(try TextPattern(reader), try reader.requiredString("content"))
    case "Prepend": self = .prepend(try reader.requiredString("prepend"))
    case "Strip":
      self = .strip(
        left: try reader.bool("strip_left", default: true), right: try reader.bool("strip_right", default: true))
    case "ByteLevel": self = .byteLevel
    case "BertNormalizer", "Bert": self = .bert(try BertNormalizer(reader))
    case "Nmt": self = .nmt
    case "Precompiled":
      let text = String(decoding: try reader.requiredString("precompiled_charsmap"), as: UTF8.self)
      guard let bytes = Base64.bytes(text) else {
        throw .invalid(field: reader.field("precompiled_charsmap"), reason: "it is not base64")
      }
      self = .precompiled(try CharacterMap(bytes))
    case "Sequence":
      var steps: [Normalizer] = []
      for r in try reader.readers("normalizers") { steps.append(try Normalizer(r, depth: depth + 1)) }
      self = .sequence(steps)
    case let other: throw .unsupported("the normalizer \(other ?? "without a type")")
    }
  }

  func apply(_ text: [UInt8]) -> [UInt8] {
    switch self {
    case .unicode(let form): return form.apply(text)
    case .lowercase: return CaseMapping.lowercased(text)
    case .stripAccents: return Self.removing(.mark, from: text)
    case .replace(let pattern, let content): return pattern.replacing(in: text, with: content)
    case .prepend(let prefix): return text.isEmpty ? text : prefix + text
    case .strip(let left, let right): return Self.stripped(text, left: left, right: right)
    case .byteLevel:
      var out: [UInt8] = []
      ByteAlphabet.encode(text[...], into: &out)
      return out
    case .bert(let bert): return bert.apply(text)
    case .nmt: return NMTCleaning.apply(text)
    case .precompiled(let map): return map.appliedToGraphemes(text)
    case .sentencePiece(let normalizer): return normalizer.apply(text)
    case .sequence(let steps):
      var text = text
      for s in steps { text = s.apply(text) }
      return text
    }
  }

  /// Whether ``apply(_:)`` drops what `text` starts with, so that what is left does not start where `text` did.
  func dropsStart(of text: [UInt8]) -> Bool {
    guard !text.isEmpty else { return false }
    let first = UTF8Text.scalar(text, at: 0).value
    switch self {
    case .unicode, .lowercase, .prepend, .byteLevel, .precompiled, .sentencePiece: return false
    case .nmt: return NMTCleaning.drops(first)
    case .stripAccents: return UnicodeTables.has(.mark, first)
    case .strip(let left, _): return left && UnicodeTables.has(.whitespace, first)
    case .bert(let bert):
      return (bert.cleansText && UnicodeTables.has(.bertControl, first))
        || (bert.stripsAccents && UnicodeTables.has(.bertMark, first))
    case .replace(let pattern, let content):
      guard content.isEmpty else { return false }
      var drops = false
      pattern.forEachMatch(in: text, 0..<text.count) { if $0.lowerBound == 0, !$0.isEmpty { drops = true } }
      return drops
    case .sequence(let steps):
      var text = text
      for s in steps {
        if s.dropsStart(of: text) { return true }
        text = s.apply(text)
      }
      return false
    }
  }

  static func removing(_ property: Property, from text: [UInt8]) -> [UInt8] {
    if UTF8Text.isASCII(text), property != .bertControl { return text }
    var out: [UInt8] = []
    out.reserveCapacity(text.count)
    var i = 0
    while i < text.count {
      let s = UTF8Text.scalar(text, at: i)
      if !UnicodeTables.has(property, s.value) { out.append(contentsOf: text[i..<(i + s.length)]) }
      i += s.length
    }
    return out
  }

  private static func stripped(_ text: [UInt8], left: Bool, right: Bool) -> [UInt8] {
    var start = 0
    var end = text.count
    while left, start < end {
      let s = UTF8Text.scalar(text, at: start)
      guard UnicodeTables.has(.whitespace, s.value) else { break }
      start += s.length
    }
    while right, end > start {
      let last = UTF8Text.index(before: end, in: text)
      guard UnicodeTables.has(.whitespace, UTF8Text.scalar(text, at: last).value) else { break }
      end = last
    }
    return start == 0 && end == text.count ? text : Array(text[start..<end])
  }
}
