/// Methods of Python strings.
enum PythonStrings {
  /// - Parameter characters: what to strip; white space when nil.
  static func stripped(_ text: [UInt8], _ characters: [UInt8]?, left: Bool, right: Bool) -> [UInt8] {
    var start = 0
    var end = text.count
    guard let characters else {
      if left { start = PythonText.leftTrimmed(text, from: 0, to: end) }
      if right { end = PythonText.rightTrimmed(text, from: start, to: end) }
      return Array(text[start..<end])
    }
    let set = Set(UTF8Text.scalars(characters))
    while left, start < end {
      let s = UTF8Text.scalar(text, at: start)
      guard set.contains(s.value) else { break }
      start += s.length
    }
    while right, end > start {
      let last = UTF8Text.index(before: end, in: text)
      guard set.contains(UTF8Text.scalar(text, at: last).value) else { break }
      end = last
    }
    return Array(text[start..<end])
  }

  /// `str.split`: at white space when there is no separator.
  static func split(_ text: [UInt8], _ separator: [UInt8]?, max: Int?) -> [[UInt8]] {
    var out: [[UInt8]] = []
    var left = max ?? Int.max
    guard let separator else {
      var at = PythonText.leftTrimmed(text, from: 0, to: text.count)
      while at < text.count {
        if left == 0 {
          out.append(Array(text[at..<PythonText.rightTrimmed(text, from: at, to: text.count)]))
          break
        }
        var end = at
        while end < text.count {
          let s = UTF8Text.scalar(text, at: end)
          if PythonText.isSpace(s.value) { break }
          end += s.length
        }
        out.append(Array(text[at..<end]))
        left -= 1
        at = PythonText.leftTrimmed(text, from: end, to: text.count)
      }
      return out
    }
    var start = 0
    while left > 0, let at = PythonText.find(separator, in: text, from: start) {
      out.append(Array(text[start..<at]))
      start = at + separator.count
      left -= 1
    }
    out.append(Array(text[start...]))
    return out
  }

  /// `str.rsplit` with a separator.
  static func splitFromRight(_ text: [UInt8], _ separator: [UInt8], max: Int?) -> [[UInt8]] {
    var out: [[UInt8]] = []
    var left = max ?? Int.max
    var end = text.count
    while left > 0, let at = PythonText.findLast(separator, in: text, before: end) {
      out.append(Array(text[(at + separator.count)..<end]))
      end = at
      left -= 1
    }
    out.append(Array(text[..<end]))
    return out.reversed()
  }

  /// `str.splitlines`.
  static func lines(_ text: [UInt8], keepEnds: Bool) -> [[UInt8]] {
    var out: [[UInt8]] = []
    var start = 0
    var i = 0
    while i < text.count {
      let s = UTF8Text.scalar(text, at: i)
      var end = i + s.length
      switch s.value {
      case 0x0D:
        if end < text.count, text[end] == 0x0A { end += 1 }
        fallthrough
      case 0x0A...0x0C, 0x1C...0x1E, 0x85, 0x2028, 0x2029:
        out.append(Array(text[start..<(keepEnds ? end : i)]))
        start = end
      default: break
      }
      i = end
    }
    if start < text.count { out.append(Array(text[start...])) }
    return out
  }

  /// Runs of letters, numbers and underscores.
  static func wordCount(_ text: [UInt8]) -> Int {
    let inWord = CategoryMask.letter | CategoryMask.named("N")
    var count = 0
    var wasWord = false
    for c in UTF8Text.scalars(text) {
      let isWord = c == 0x5F || 1 << (UnicodeTables.properties[Int(c)] & 31) & inWord != 0
      if isWord, !wasWord { count += 1 }
      wasWord = isWord
    }
    return count
  }

  static func capitalized(_ text: [UInt8]) -> [UInt8] {
    guard !text.isEmpty else { return [] }
    let first = UTF8Text.scalar(text, at: 0).length
    return CaseMapping.titlecased(Array(text[..<first])) + CaseMapping.lowercased(Array(text[first...]))
  }

  /// `str.title`: a letter after anything but a letter is upper case.
  static func title(_ text: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    var wasLetter = false
    for r in PythonText.ranges(text) {
      let piece = Array(text[r])
      let category = UnicodeTables.properties[Int(UTF8Text.scalar(text, at: r.lowerBound).value)] & 31
      let isCased =
        1 << category & (CategoryMask.named("Lu") | CategoryMask.named("Ll") | CategoryMask.named("Lt")) != 0
      out.append(contentsOf: isCased && !wasLetter ? CaseMapping.titlecased(piece) : CaseMapping.lowercased(piece))
      wasLetter = isCased
    }
    return out
  }

  /// Jinja's filter `title`: words begin after white space, hyphens and opening brackets only.
  static func jinjaTitle(_ text: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    var isStart = true
    for r in PythonText.ranges(text) {
      let scalar = UTF8Text.scalar(text, at: r.lowerBound).value
      let piece = Array(text[r])
      let separates = PythonText.isSpace(scalar) || (scalar < 128 && "-({[<".utf8.contains(UInt8(scalar)))
      out.append(contentsOf: isStart ? CaseMapping.uppercased(piece) : CaseMapping.lowercased(piece))
      isStart = separates
    }
    return out
  }
}
