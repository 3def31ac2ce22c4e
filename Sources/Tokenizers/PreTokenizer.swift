import Digests

/// Cuts normalized text into pieces.
indirect enum PreTokenizer: Sendable {
  case byteLevel(addsPrefixSpace: Bool, Regex?)
  case split(TextPattern, SplitBehavior, inverted: Bool)
  case digits(individually: Bool)
  case punctuation(SplitBehavior)
  case whitespace
  case whitespaceSplit
  case bert
  case metaspace(Metaspace)
  /// Pieces of so many scalars.
  case fixedLength(Int)
  /// Puts bytes before every piece. Only GGUF's WordPiece vocabularies ask for it.
  case prepend([UInt8])
  case sequence([PreTokenizer])

  static let gpt2Pattern = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

  init(_ reader: DefinitionReader, depth: Int = 0) throws(TokenizerError) {
    guard depth < 8 else { throw .tooLarge(what: "nested sequences", count: depth, countMax: 8) }
    let type = try reader.word("type")
    switch type {
    case "ByteLevel":
      let usesRegex = try reader.bool("use_regex", default: true)
      self = .byteLevel(
        addsPrefixSpace: try reader.bool("add_prefix_space", default: true),
        usesRegex ? try Regex(Self.gpt2Pattern) : nil)
    case "Split":
      self = .split(
        try TextPattern(reader), try Self.behavior(reader), inverted: try reader.bool("invert", default: false))
    case "Digits": self = .digits(individually: try reader.bool("individual_digits", default: false))
    case "Punctuation": self = .punctuation(try Self.behavior(reader, default: .isolated))
    case "Whitespace": self = .whitespace
    case "WhitespaceSplit": self = .whitespaceSplit
    case "BertPreTokenizer": self = .bert
    case "Metaspace": self = .metaspace(try Metaspace(reader))
    case "FixedLength":
      let length = try reader.integer("length") ?? 5
      guard length > 0 else { throw .invalid(field: reader.field("length"), reason: "\(length) is not positive") }
      self = .fixedLength(length)
    case "CharDelimiterSplit", "Delimiter":
      guard let delimiter = try reader.scalar("delimiter") else { throw .missing(field: reader.field("delimiter")) }
      var bytes: [UInt8] = []
      UTF8Text.append(delimiter, to: &bytes)
      self = .split(.literal(bytes), .removed, inverted: false)
    case "Sequence":
      var steps: [PreTokenizer] = []
      for r in try reader.readers("pretokenizers") { steps.append(try PreTokenizer(r, depth: depth + 1)) }
      self = .sequence(steps)
    case let other: throw .unsupported("the pre-tokenizer \(other ?? "without a type")")
    }
  }

  private static func behavior(
    _ reader: DefinitionReader, default fallback: SplitBehavior? = nil
  ) throws(TokenizerError) -> SplitBehavior {
    guard let name = try reader.word("behavior") else {
      if let fallback { return fallback }
      throw .missing(field: reader.field("behavior"))
    }
    guard let behavior = SplitBehavior(rawValue: name) else { throw .unsupported("the split behaviour \(name)") }
    return behavior
  }

  func apply(_ text: inout PreTokenizedText) {
    switch self {
    case .byteLevel(let addsPrefixSpace, let regex):
      if addsPrefixSpace {
        text.rewrite { piece, _, out in
          if piece.first != 0x20 { out.append(0x20) }
          out.append(contentsOf: piece)
        }
      }
      if let regex { Self.cut(&text, .regex(regex), .isolated, inverted: false) }
      text.rewrite { piece, _, out in ByteAlphabet.encode(piece, into: &out) }
    case .split(let pattern, let behavior, let inverted): Self.cut(&text, pattern, behavior, inverted: inverted)
    case .digits(let individually):
      Self.cut(&text, individually ? .isolated : .contiguous) { UnicodeTables.has(.numeric, $0) }
    case .punctuation(let behavior): Self.cut(&text, behavior) { UnicodeTables.has(.punctuation, $0) }
    case .whitespace: Self.cutIntoWords(&text)
    case .whitespaceSplit: Self.cut(&text, .removed) { UnicodeTables.has(.whitespace, $0) }
    case .bert:
      Self.cut(&text, .removed) { UnicodeTables.has(.whitespace, $0) }
      Self.cut(&text, .isolated) { UnicodeTables.has(.punctuation, $0) }
    case .metaspace(let metaspace): metaspace.apply(&text)
    case .fixedLength(let length):
      text.cut { text, range, out in
        var start = range.lowerBound
        var at = start
        var count = 0
        while at < range.upperBound {
          at += UTF8Text.scalar(text, at: at).length
          count += 1
          if count == length || at == range.upperBound {
            out.append(start..<at)
            start = at
            count = 0
          }
        }
      }
    case .prepend(let prefix):
      text.rewrite { piece, _, out in
        out.append(contentsOf: prefix)
        out.append(contentsOf: piece)
      }
    case .sequence(let steps): for s in steps { s.apply(&text) }
    }
  }

  static func cut(
    _ text: inout PreTokenizedText, _ pattern: TextPattern, _ behavior: SplitBehavior, inverted: Bool
  ) {
    var parts: [(range: Range<Int>, isMatch: Bool)] = []
    text.cut { text, range, out in
      parts.removeAll(keepingCapacity: true)
      var end = range.lowerBound
      pattern.forEachMatch(in: text, range) { match in
        if match.lowerBound > end { parts.append((end..<match.lowerBound, inverted)) }
        parts.append((match, !inverted))
        end = match.upperBound
      }
      if end < range.upperBound { parts.append((end..<range.upperBound, inverted)) }
      behavior.apply(parts, into: &out)
    }
  }

  /// Splits at every single scalar for which `isMatch` holds.
  private static func cut(_ text: inout PreTokenizedText, _ behavior: SplitBehavior, _ isMatch: (UInt32) -> Bool) {
    var parts: [(range: Range<Int>, isMatch: Bool)] = []
    text.cut { text, range, out in
      parts.removeAll(keepingCapacity: true)
      var start = range.lowerBound
      var at = start
      while at < range.upperBound {
        let s = UTF8Text.scalar(text, at: at)
        if isMatch(s.value) {
          if at > start { parts.append((start..<at, false)) }
          parts.append((at..<(at + s.length), true))
          start = at + s.length
        }
        at += s.length
      }
      if at > start { parts.append((start..<at, false)) }
      behavior.apply(parts, into: &out)
    }
  }

  /// Runs of word characters and runs of what is neither word nor space.
  private static func cutIntoWords(_ text: inout PreTokenizedText) {
    func kind(_ scalar: UInt32) -> Int {
      UnicodeTables.has(.rustWord, scalar) ? 1 : UnicodeTables.has(.whitespace, scalar) ? 0 : 2
    }
    text.cut { text, range, out in
      var start = range.lowerBound
      var current = 0
      var at = start
      while at < range.upperBound {
        let s = UTF8Text.scalar(text, at: at)
        let k = kind(s.value)
        if k != current {
          if current != 0 { out.append(start..<at) }
          start = at
          current = k
        }
        at += s.length
      }
      if current != 0 { out.append(start..<at) }
    }
  }
}
