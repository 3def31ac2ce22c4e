/// The clean-up of the original BERT.
struct BertNormalizer: Sendable {
  let cleansText: Bool
  let handlesChineseCharacters: Bool
  let stripsAccents: Bool
  let lowercases: Bool

  init(_ reader: DefinitionReader) throws(TokenizerError) {
    cleansText = try reader.bool("clean_text", default: true)
    handlesChineseCharacters = try reader.bool("handle_chinese_chars", default: true)
    lowercases = try reader.bool("lowercase", default: true)
    stripsAccents = try reader.bool("strip_accents", default: lowercases)
  }

  init(cleansText: Bool, handlesChineseCharacters: Bool, stripsAccents: Bool, lowercases: Bool) {
    self.cleansText = cleansText
    self.handlesChineseCharacters = handlesChineseCharacters
    self.stripsAccents = stripsAccents
    self.lowercases = lowercases
  }

  private static let ideographs: [ClosedRange<UInt32>] = [
    0x3400...0x4DBF, 0x4E00...0x9FFF, 0xF900...0xFAFF, 0x20000...0x2A6DF, 0x2A700...0x2B81F, 0x2B920...0x2CEAF,
    0x2F800...0x2FA1F,
  ]

  func apply(_ text: [UInt8]) -> [UInt8] {
    var text = text
    if cleansText {
      var out: [UInt8] = []
      out.reserveCapacity(text.count)
      var i = 0
      while i < text.count {
        let s = UTF8Text.scalar(text, at: i)
        if UnicodeTables.has(.bertControl, s.value) {
        } else if UnicodeTables.has(.whitespace, s.value) {
          out.append(0x20)
        } else {
          out.append(contentsOf: text[i..<(i + s.length)])
        }
        i += s.length
      }
      text = out
    }
    if handlesChineseCharacters, !UTF8Text.isASCII(text) {
      var out: [UInt8] = []
      out.reserveCapacity(text.count)
      for s in UTF8Text.scalars(text) {
        let isIdeograph = s >= 0x3400 && Self.ideographs.contains { $0.contains(s) }
        if isIdeograph { out.append(0x20) }
        UTF8Text.append(s, to: &out)
        if isIdeograph { out.append(0x20) }
      }
      text = out
    }
    if stripsAccents { text = Normalizer.removing(.bertMark, from: NormalizationForm.nfd.apply(text)) }
    if lowercases { text = CaseMapping.lowercased(text) }
    return text
  }
}
