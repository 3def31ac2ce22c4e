/// Full case mappings, scalar by scalar.
enum CaseMapping {
  static func lowercased(_ text: [UInt8]) -> [UInt8] { mapped(text, UnicodeTables.lowercase) }
  static func uppercased(_ text: [UInt8]) -> [UInt8] { mapped(text, UnicodeTables.uppercase) }

  /// For the first character of a word.
  static func titlecased(_ text: [UInt8]) -> [UInt8] {
    mapped(text, UnicodeTables.uppercase.merging(UnicodeTables.titlecase) { $1 })
  }

  private static func mapped(_ text: [UInt8], _ map: [UInt32: [UInt32]]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(text.count)
    var i = 0
    while i < text.count {
      let s = UTF8Text.scalar(text, at: i)
      if let to = map[s.value] {
        for t in to { UTF8Text.append(t, to: &out) }
      } else {
        out.append(contentsOf: text[i..<(i + s.length)])
      }
      i += s.length
    }
    return out
  }
}
