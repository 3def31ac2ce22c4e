/// Text as Python sees it: white space, escapes, positions counted in scalars.
enum PythonText {
  static func isDigit(_ c: UInt8) -> Bool { c >= 0x30 && c <= 0x39 }

  static func isNameByte(_ c: UInt8) -> Bool {
    isDigit(c) || (c | 0x20 >= UInt8(ascii: "a") && c | 0x20 <= UInt8(ascii: "z")) || c == UInt8(ascii: "_")
  }

  /// `str.isspace` for one scalar.
  static func isSpace(_ scalar: UInt32) -> Bool {
    (scalar >= 0x1C && scalar <= 0x1F) || UnicodeTables.has(.whitespace, scalar)
  }

  /// Where text begins after its leading white space.
  static func leftTrimmed(_ text: [UInt8], from start: Int, to end: Int) -> Int {
    var i = start
    while i < end {
      let s = UTF8Text.scalar(text, at: i)
      guard isSpace(s.value) else { break }
      i += s.length
    }
    return i
  }

  /// Where text ends before its trailing white space.
  static func rightTrimmed(_ text: [UInt8], from start: Int, to end: Int) -> Int {
    var i = end
    while i > start {
      let previous = UTF8Text.index(before: i, in: text)
      guard isSpace(UTF8Text.scalar(text, at: previous).value) else { break }
      i = previous
    }
    return i
  }

  /// How many scalars there are.
  static func length(_ text: [UInt8]) -> Int {
    var count = 0
    for b in text where b & 0xC0 != 0x80 { count += 1 }
    return count
  }

  /// The byte range of each scalar.
  static func ranges(_ text: [UInt8]) -> [Range<Int>] {
    var out: [Range<Int>] = []
    var i = 0
    while i < text.count {
      let n = UTF8Text.scalar(text, at: i).length
      out.append(i..<(i + n))
      i += n
    }
    return out
  }

  /// The first place at or after `start` where `needle` is.
  static func find(_ needle: [UInt8], in text: [UInt8], from start: Int = 0) -> Int? {
    guard let first = needle.first else { return start <= text.count ? start : nil }
    var i = start
    while i + needle.count <= text.count {
      if text[i] == first, text[i..<(i + needle.count)].elementsEqual(needle) { return i }
      i += 1
    }
    return nil
  }

  /// The last place where `needle` is, ending at or before `end`.
  static func findLast(_ needle: [UInt8], in text: [UInt8], before end: Int) -> Int? {
    var i = end - needle.count
    while i >= 0 {
      if text[i..<(i + needle.count)].elementsEqual(needle) { return i }
      i -= 1
    }
    return nil
  }

  static func replacing(_ text: [UInt8], _ old: [UInt8], with new: [UInt8], count: Int?) -> [UInt8] {
    var out: [UInt8] = []
    var left = count ?? Int.max
    if old.isEmpty {
      for r in ranges(text) {
        if left > 0 { out.append(contentsOf: new) }
        left -= left > 0 ? 1 : 0
        out.append(contentsOf: text[r])
      }
      if left > 0 { out.append(contentsOf: new) }
      return out
    }
    var copied = 0
    while left > 0, let at = find(old, in: text, from: copied) {
      out.append(contentsOf: text[copied..<at])
      out.append(contentsOf: new)
      copied = at + old.count
      left -= 1
    }
    out.append(contentsOf: text[copied...])
    return out
  }

  /// Reads one escape of a Python string literal, at a backslash.
  static func unescape(_ text: [UInt8], _ i: inout Int, into out: inout [UInt8], line: Int) throws(TemplateError) {
    i += 1
    guard i < text.count else { throw .syntax("a string that does not end", line: line) }
    let c = text[i]
    i += 1
    func hex(_ digits: Int, _ i: inout Int) throws(TemplateError) -> UInt32 {
      var value: UInt32 = 0
      for _ in 0..<digits {
        guard i < text.count, let digit = Character(Unicode.Scalar(text[i])).hexDigitValue else {
          throw .syntax("a malformed escape in a string", line: line)
        }
        value = value << 4 | UInt32(digit)
        i += 1
      }
      return value
    }
    func append(_ value: UInt32) throws(TemplateError) {
      guard Unicode.Scalar(value) != nil else { throw .unsupported("an escape that is not a scalar", line: line) }
      UTF8Text.append(value, to: &out)
    }
    switch Unicode.Scalar(c) {
    case "\n": break
    case "\\", "'", "\"": out.append(c)
    case "n": out.append(0x0A)
    case "t": out.append(0x09)
    case "r": out.append(0x0D)
    case "a": out.append(0x07)
    case "b": out.append(0x08)
    case "f": out.append(0x0C)
    case "v": out.append(0x0B)
    case "x": try append(try hex(2, &i))
    case "u": try append(try hex(4, &i))
    case "U": try append(try hex(8, &i))
    case "N": throw .unsupported("the escape \\N", line: line)
    case "0"..."7":
      var value = UInt32(c - 0x30)
      var digits = 1
      while digits < 3, i < text.count, text[i] >= 0x30, text[i] <= 0x37 {
        value = value << 3 | UInt32(text[i] - 0x30)
        i += 1
        digits += 1
      }
      try append(value)
    default:
      // Python keeps the backslash of an escape that it does not know.
      out.append(UInt8(ascii: "\\"))
      i -= 1
    }
  }
}
