/// Formatting: `'%s' % value`, the filter `format` and the method `format`. Fractions are formatted only as
/// they print: how many digits a fraction rounds to is not computed here.
extension TemplateInterpreter {
  /// What stands between the marker and the type: fill and alignment, sign, width, precision.
  private struct Specification {
    var fill: [UInt8] = [0x20]
    /// `<`, `>`, `^` or `=`; nil for what the type implies.
    var alignment: UInt8?
    var sign: UInt8 = UInt8(ascii: "-")
    var isAlternate = false
    var width = 0
    var grouping: UInt8?
    var precision: Int?
    var type: UInt8?
  }

  private static let widthMax = 1 << 20

  // MARK: Percent

  /// `format % values`, as Python's `str` has it.
  mutating func percentFormatted(
    _ format: [UInt8], _ values: TemplateValue, _ line: Int
  ) throws(TemplateError) -> [UInt8] {
    var left: [TemplateValue] = [values]
    if case .list(let l) = values, l.isTuple { left = l.items }
    var taken = 0
    var usedKeys = false
    var out: [UInt8] = []
    var at = 0
    func next(_ named: TemplateValue?) throws(TemplateError) -> TemplateValue {
      if let named { return named }
      guard taken < left.count else { throw .failed("not enough values to format", line: line) }
      taken += 1
      return left[taken - 1]
    }
    while at < format.count {
      if format[at] != UInt8(ascii: "%") {
        out.append(format[at])
        at += 1
        continue
      }
      at += 1
      var spec = Specification()
      var value: TemplateValue?
      if at < format.count, format[at] == UInt8(ascii: "(") {
        guard case .dictionary(let d) = values, let end = format[at...].firstIndex(of: UInt8(ascii: ")")) else {
          throw .failed("a format with names takes a dictionary", line: line)
        }
        guard let member = d[Array(format[(at + 1)..<end])] else { throw .failed("a missing key", line: line) }
        value = member
        usedKeys = true
        at = end + 1
      }
      flags: while at < format.count {
        switch format[at] {
        case UInt8(ascii: "-"): spec.alignment = UInt8(ascii: "<")
        case UInt8(ascii: "0"): if spec.alignment == nil { spec.fill = [0x30] }
        case UInt8(ascii: "+"), UInt8(ascii: " "): spec.sign = format[at]
        case UInt8(ascii: "#"): spec.isAlternate = true
        default: break flags
        }
        at += 1
      }
      spec.width = try Self.number(format, &at, line) ?? 0
      if at < format.count, format[at] == UInt8(ascii: ".") {
        at += 1
        spec.precision = try Self.number(format, &at, line) ?? 0
      }
      guard at < format.count else { throw .failed("a format that ends early", line: line) }
      let type = format[at]
      at += 1
      switch type {
      case UInt8(ascii: "%"): out.append(type)
      case UInt8(ascii: "s"), UInt8(ascii: "r"):
        var subject = try next(value)
        if type == UInt8(ascii: "r") { subject = .string(subject.representation) }
        if spec.alignment == nil { spec.alignment = UInt8(ascii: ">") }
        spec.fill = [0x20]
        out.append(contentsOf: try padded(Self.cut(subject.asText, spec.precision), spec, line))
      case UInt8(ascii: "d"), UInt8(ascii: "i"), UInt8(ascii: "u"), UInt8(ascii: "x"), UInt8(ascii: "X"),
        UInt8(ascii: "o"):
        guard let integer = try next(value).asInteger, spec.precision == nil else {
          throw .unsupported("the format of a number that is not an integer", line: line)
        }
        if spec.fill == [0x30] { spec.alignment = UInt8(ascii: "=") }
        spec.type = type == UInt8(ascii: "i") || type == UInt8(ascii: "u") ? UInt8(ascii: "d") : type
        out.append(contentsOf: try formatted(integer, spec, line))
      default:
        throw .unsupported("the format %\(String(decoding: [type], as: UTF8.self))", line: line)
      }
    }
    let isSpent = taken == left.count || usedKeys
    if !isSpent, taken < left.count {
      if case .dictionary = values { return out }
      throw .failed("not all values were formatted", line: line)
    }
    return out
  }

  // MARK: Braces

  /// `format.format(…)`.
  mutating func braceFormatted(
    _ format: [UInt8], _ arguments: TemplateCallArguments, _ line: Int
  ) throws(TemplateError) -> [UInt8] {
    var out: [UInt8] = []
    var at = 0
    var automatic = 0
    var numbers: Bool?
    let (open, close) = (UInt8(ascii: "{"), UInt8(ascii: "}"))
    while at < format.count {
      let c = format[at]
      at += 1
      guard c == open || c == close else {
        out.append(c)
        continue
      }
      if at < format.count, format[at] == c {
        out.append(c)
        at += 1
        continue
      }
      guard c == open, let end = format[at...].firstIndex(of: close) else {
        throw .failed("a single brace in a format", line: line)
      }
      let field = format[at..<end]
      guard !field.contains(open) else { throw .unsupported("nested fields in a format", line: line) }
      at = end + 1
      let colon = field.firstIndex(of: UInt8(ascii: ":")) ?? field.endIndex
      var name = Array(field[..<colon])
      var conversion: UInt8?
      if let mark = name.firstIndex(of: UInt8(ascii: "!")) {
        guard mark == name.count - 2 else { throw .failed("a malformed conversion in a format", line: line) }
        conversion = name[mark + 1]
        name.removeLast(2)
      }
      guard !name.contains(UInt8(ascii: ".")), !name.contains(UInt8(ascii: "[")) else {
        throw .unsupported("members in a format", line: line)
      }
      let value: TemplateValue
      if name.isEmpty || name.allSatisfy({ PythonText.isDigit($0) }) {
        guard numbers.map({ $0 == name.isEmpty }) ?? true else {
          throw .failed("a format with numbered and other fields", line: line)
        }
        numbers = name.isEmpty
        let index = name.isEmpty ? automatic : Int(String(decoding: name, as: UTF8.self)) ?? Int.max
        automatic += 1
        guard index < arguments.positional.count else { throw .failed("not enough values to format", line: line) }
        value = arguments.positional[index]
      } else {
        let key = String(decoding: name, as: UTF8.self)
        guard let found = arguments.named.last(where: { $0.name == key }) else {
          throw .failed("the format has no value for \"\(key)\"", line: line)
        }
        value = found.value
      }
      let spec = colon < field.endIndex ? Array(field[(colon + 1)...]) : []
      out.append(contentsOf: try formatted(value, conversion, spec, line))
    }
    return out
  }

  private mutating func formatted(
    _ value: TemplateValue, _ conversion: UInt8?, _ text: [UInt8], _ line: Int
  ) throws(TemplateError) -> [UInt8] {
    var value = value.plain
    switch conversion {
    case nil: break
    case UInt8(ascii: "s")?: value = .string(value.asText)
    case UInt8(ascii: "r")?: value = .string(value.representation)
    default: throw .unsupported("such a conversion in a format", line: line)
    }
    if text.isEmpty { return value.asText }
    let spec = try Self.specification(text, line)
    if case .string(let s) = value {
      guard spec.type == nil || spec.type == UInt8(ascii: "s"), spec.alignment != UInt8(ascii: "="),
        spec.sign == UInt8(ascii: "-"), spec.grouping == nil, !spec.isAlternate
      else { throw .failed("such a format for a string", line: line) }
      return try padded(Self.cut(s, spec.precision), spec, line)
    }
    guard let integer = value.asInteger else {
      throw .unsupported("such a format for a value of type \(value.typeName)", line: line)
    }
    guard spec.precision == nil else { throw .unsupported("a precision in the format of an integer", line: line) }
    return try formatted(integer, spec, line)
  }

  private static func specification(_ text: [UInt8], _ line: Int) throws(TemplateError) -> Specification {
    var spec = Specification()
    var at = 0
    let aligns = Array("<>^=".utf8)
    let first = UTF8Text.scalar(text, at: 0).length
    if first < text.count, aligns.contains(text[first]) {
      spec.fill = Array(text[..<first])
      spec.alignment = text[first]
      at = first + 1
    } else if aligns.contains(text[0]) {
      spec.alignment = text[0]
      at = 1
    }
    func accept(_ characters: String) -> UInt8? {
      guard at < text.count, characters.utf8.contains(text[at]) else { return nil }
      at += 1
      return text[at - 1]
    }
    if let sign = accept("+- ") { spec.sign = sign }
    spec.isAlternate = accept("#") != nil
    if accept("0") != nil, spec.alignment == nil {
      spec.fill = [0x30]
      spec.alignment = UInt8(ascii: "=")
    }
    spec.width = try number(text, &at, line) ?? 0
    spec.grouping = accept(",_")
    if accept(".") != nil { spec.precision = try number(text, &at, line) }
    spec.type = accept("bcdoxXs")
    guard at == text.count else {
      throw .unsupported("the format \"\(String(decoding: text, as: UTF8.self))\"", line: line)
    }
    return spec
  }

  // MARK: Parts

  private static func number(_ text: [UInt8], _ at: inout Int, _ line: Int) throws(TemplateError) -> Int? {
    var value: Int?
    while at < text.count, PythonText.isDigit(text[at]) {
      value = (value ?? 0) * 10 + Int(text[at] - 0x30)
      at += 1
      if value ?? 0 > widthMax { throw .limit("columns of a format", max: widthMax) }
    }
    return value
  }

  private static func cut(_ text: [UInt8], _ count: Int?) -> [UInt8] {
    guard let count else { return text }
    let ranges = PythonText.ranges(text)
    return count < ranges.count ? Array(text[..<ranges[count].lowerBound]) : text
  }

  private func formatted(_ value: Int, _ spec: Specification, _ line: Int) throws(TemplateError) -> [UInt8] {
    let radix: Int
    var prefix = ""
    switch spec.type {
    case nil, UInt8(ascii: "d")?: radix = 10
    case UInt8(ascii: "b")?: (radix, prefix) = (2, "0b")
    case UInt8(ascii: "o")?: (radix, prefix) = (8, "0o")
    case UInt8(ascii: "x")?: (radix, prefix) = (16, "0x")
    case UInt8(ascii: "X")?: (radix, prefix) = (16, "0X")
    default: throw .unsupported("such a format for an integer", line: line)
    }
    var digits = Array(String(value.magnitude, radix: radix, uppercase: spec.type == UInt8(ascii: "X")).utf8)
    if let mark = spec.grouping {
      guard spec.fill != [0x30] || spec.width == 0 else { throw .unsupported("grouped digits with zeros", line: line) }
      let size = radix == 10 ? 3 : 4
      for at in stride(from: digits.count - size, to: 0, by: -size) { digits.insert(mark, at: at) }
    }
    var sign: [UInt8] = value < 0 ? [UInt8(ascii: "-")] : spec.sign == UInt8(ascii: "-") ? [] : [spec.sign]
    if spec.isAlternate { sign.append(contentsOf: prefix.utf8) }
    if spec.alignment == UInt8(ascii: "=") {
      let missing = max(0, spec.width - sign.count - digits.count)
      return sign + Array(repeatElement(spec.fill, count: missing).joined()) + digits
    }
    var spec = spec
    if spec.alignment == nil { spec.alignment = UInt8(ascii: ">") }
    return try padded(sign + digits, spec, line)
  }

  private func padded(_ text: [UInt8], _ spec: Specification, _ line: Int) throws(TemplateError) -> [UInt8] {
    let missing = spec.width - PythonText.length(text)
    guard missing > 0 else { return text }
    let left: Int
    switch spec.alignment {
    case UInt8(ascii: ">")?: left = missing
    case UInt8(ascii: "^")?: left = missing / 2
    default: left = 0
    }
    let fill = { (count: Int) in Array(repeatElement(spec.fill, count: count).joined()) }
    return fill(left) + text + fill(missing - left)
  }
}
