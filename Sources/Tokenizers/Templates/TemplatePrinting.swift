/// Values as text: as Python prints them, and as JSON.
extension TemplateValue {
  /// `str(value)`.
  func appendText(to out: inout [UInt8]) {
    switch self {
    case .string(let s), .markup(let s): out.append(contentsOf: s)
    case .undefined: break
    default: appendRepresentation(to: &out)
    }
  }

  /// The text with what HTML gives a meaning written out; as it is when it is marked as escaped.
  var escaped: [UInt8] {
    if case .markup(let s) = self { return s }
    var out: [UInt8] = []
    for b in asText {
      switch b {
      case UInt8(ascii: "&"): out.append(contentsOf: "&amp;".utf8)
      case UInt8(ascii: "<"): out.append(contentsOf: "&lt;".utf8)
      case UInt8(ascii: ">"): out.append(contentsOf: "&gt;".utf8)
      case UInt8(ascii: "\""): out.append(contentsOf: "&#34;".utf8)
      case UInt8(ascii: "'"): out.append(contentsOf: "&#39;".utf8)
      default: out.append(b)
      }
    }
    return out
  }

  var asText: [UInt8] {
    if let s = text { return s }
    var out: [UInt8] = []
    appendText(to: &out)
    return out
  }

  /// `repr(value)`.
  var representation: [UInt8] {
    var out: [UInt8] = []
    appendRepresentation(to: &out)
    return out
  }

  private func appendRepresentation(to out: inout [UInt8]) {
    switch self {
    case .undefined: out.append(contentsOf: "Undefined".utf8)
    case .none: out.append(contentsOf: "None".utf8)
    case .bool(let b): out.append(contentsOf: (b ? "True" : "False").utf8)
    case .integer(let i): out.append(contentsOf: String(i).utf8)
    case .decimal(let text): out.append(contentsOf: text.utf8)
    case .string(let s): Self.appendQuoted(s, to: &out)
    case .markup(let s):
      out.append(contentsOf: "Markup(".utf8)
      Self.appendQuoted(s, to: &out)
      out.append(UInt8(ascii: ")"))
    case .list(let l) where l.kind == .range: appendRange(l, to: &out)
    case .list(let l):
      if !l.isIndexed { out.append(contentsOf: "\(l.typeName)(".utf8) }
      out.append(UInt8(ascii: l.isTuple ? "(" : "["))
      for (i, item) in l.items.enumerated() {
        if i > 0 { out.append(contentsOf: ", ".utf8) }
        item.appendRepresentation(to: &out)
      }
      if l.isTuple, l.items.count == 1 { out.append(UInt8(ascii: ",")) }
      out.append(UInt8(ascii: l.isTuple ? ")" : "]"))
      if !l.isIndexed { out.append(UInt8(ascii: ")")) }
    case .dictionary(let d):
      out.append(UInt8(ascii: "{"))
      for (i, (key, value)) in zip(d.keys, d.values).enumerated() {
        if i > 0 { out.append(contentsOf: ", ".utf8) }
        key.appendRepresentation(to: &out)
        out.append(contentsOf: ": ".utf8)
        value.appendRepresentation(to: &out)
      }
      out.append(UInt8(ascii: "}"))
    case .namespace: out.append(contentsOf: "<Namespace>".utf8)
    case .function: out.append(contentsOf: "<function>".utf8)
    case .loop(let l): out.append(contentsOf: "<LoopContext \(l.index + 1)/\(l.items.count)>".utf8)
    }
  }

  /// A range is printed by its bounds, which are known by what it holds.
  private func appendRange(_ l: TemplateList, to out: inout [UInt8]) {
    let values = l.items.compactMap(\.asInteger)
    let (start, step) = (values.first ?? 0, values.count > 1 ? values[1] - values[0] : 1)
    let stop = (values.last ?? 0) + (values.isEmpty ? 0 : step > 0 ? 1 : -1)
    out.append(contentsOf: "range(\(start), \(stop)\(step == 1 ? "" : ", \(step)"))".utf8)
  }

  private static func appendQuoted(_ s: [UInt8], to out: inout [UInt8]) {
    let quote: UInt8 = s.contains(UInt8(ascii: "'")) && !s.contains(UInt8(ascii: "\"")) ? 0x22 : 0x27
    let unprintable = CategoryMask.named("C") | CategoryMask.named("Z")
    out.append(quote)
    for c in UTF8Text.scalars(s) {
      switch c {
      case UInt32(quote), 0x5C:
        out.append(0x5C)
        out.append(UInt8(c))
      case 0x0A: out.append(contentsOf: "\\n".utf8)
      case 0x0D: out.append(contentsOf: "\\r".utf8)
      case 0x09: out.append(contentsOf: "\\t".utf8)
      case 0x20: out.append(0x20)
      default:
        if 1 << (UnicodeTables.properties[Int(c)] & 31) & unprintable == 0 {
          UTF8Text.append(c, to: &out)
        } else {
          let digits = String(c, radix: 16)
          let (mark, width) = c < 0x100 ? ("x", 2) : c < 0x10000 ? ("u", 4) : ("U", 8)
          out.append(contentsOf: "\\\(mark)\(String(repeating: "0", count: width - digits.utf8.count))\(digits)".utf8)
        }
      }
    }
    out.append(quote)
  }
}

/// `json.dumps`, with the settings that `tojson` takes.
struct TemplateJSONWriter {
  var indent: [UInt8]?
  var itemSeparator: [UInt8]
  var keySeparator: [UInt8]
  var escapesNonASCII = false
  var sortsKeys = false
  private(set) var out: [UInt8] = []
  /// Nil, or the Python type of the first value that JSON cannot hold.
  private(set) var offender: String?

  init(indent: [UInt8]?, separators: ([UInt8], [UInt8])?) {
    self.indent = indent
    itemSeparator = separators?.0 ?? Array((indent == nil ? ", " : ",").utf8)
    keySeparator = separators?.1 ?? Array(": ".utf8)
  }

  mutating func write(_ value: TemplateValue, level: Int = 0) {
    switch value {
    case .none: out.append(contentsOf: "null".utf8)
    case .bool(let b): out.append(contentsOf: (b ? "true" : "false").utf8)
    case .integer(let i): out.append(contentsOf: String(i).utf8)
    case .decimal(let text): out.append(contentsOf: text.utf8)
    case .string(let s), .markup(let s): write(string: s)
    case .list(let l) where l.kind == .list || l.isTuple:
      writeContainer("[", "]", count: l.items.count, level) { writer, i in writer.write(l.items[i], level: level + 1) }
    case .dictionary(let d):
      var order = Array(d.keys.indices)
      if sortsKeys {
        order.sort { a, b in
          guard let sign = d.keys[a].compared(to: d.keys[b]) else {
            offender = offender ?? "dict with keys without an order"
            return a < b
          }
          return sign == 0 ? a < b : sign < 0
        }
      }
      writeContainer("{", "}", count: d.keys.count, level) { writer, i in
        writer.write(key: d.keys[order[i]])
        writer.out.append(contentsOf: writer.keySeparator)
        writer.write(d.values[order[i]], level: level + 1)
      }
    case .undefined, .namespace, .function, .loop, .list: offender = offender ?? value.typeName
    }
  }

  /// A key that is a number, a truth value or none becomes a string.
  private mutating func write(key: TemplateValue) {
    switch key {
    case .string(let s), .markup(let s): write(string: s)
    case .none, .bool, .integer, .decimal:
      out.append(0x22)
      write(key)
      out.append(0x22)
    default: offender = offender ?? "dict with a key of type \(key.typeName)"
    }
  }

  private mutating func writeContainer(
    _ open: Unicode.Scalar, _ close: Unicode.Scalar, count: Int, _ level: Int,
    _ body: (inout TemplateJSONWriter, Int) -> Void
  ) {
    out.append(UInt8(ascii: open))
    for i in 0..<count {
      if i > 0 { out.append(contentsOf: itemSeparator) }
      newline(level + 1)
      body(&self, i)
    }
    if count > 0 { newline(level) }
    out.append(UInt8(ascii: close))
  }

  private mutating func newline(_ level: Int) {
    guard let indent else { return }
    out.append(0x0A)
    for _ in 0..<level { out.append(contentsOf: indent) }
  }

  private mutating func write(string s: [UInt8]) {
    out.append(0x22)
    for c in UTF8Text.scalars(s) {
      switch c {
      case 0x22: out.append(contentsOf: "\\\"".utf8)
      case 0x5C: out.append(contentsOf: "\\\\".utf8)
      case 0x0A: out.append(contentsOf: "\\n".utf8)
      case 0x0D: out.append(contentsOf: "\\r".utf8)
      case 0x09: out.append(contentsOf: "\\t".utf8)
      case 0x0C: out.append(contentsOf: "\\f".utf8)
      case 0x08: out.append(contentsOf: "\\b".utf8)
      case 0..<0x20: writeEscape(c)
      case 0x7F... where escapesNonASCII:
        if c < 0x10000 {
          writeEscape(c)
        } else {
          writeEscape(0xD800 + (c - 0x10000) >> 10)
          writeEscape(0xDC00 + (c - 0x10000) & 0x3FF)
        }
      default: UTF8Text.append(c, to: &out)
      }
    }
    out.append(0x22)
  }

  private mutating func writeEscape(_ c: UInt32) {
    let digits = String(c, radix: 16)
    out.append(contentsOf: "\\u\(String(repeating: "0", count: 4 - digits.utf8.count))\(digits)".utf8)
  }
}
