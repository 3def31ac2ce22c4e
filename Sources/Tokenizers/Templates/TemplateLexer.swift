/// Cuts a template into tokens, with Jinja's rules for white space as Hugging Face sets them
/// (`trim_blocks` and `lstrip_blocks` on, one trailing newline dropped).
struct TemplateLexer {
  private let source: [UInt8]
  private var at = 0
  private var line = 1
  private var tokens: [TemplateToken] = []
  /// Whether what was consumed last ended a line.
  private var isLineStart = true

  static func tokens(_ source: [UInt8]) throws(TemplateError) -> [TemplateToken] {
    var lexer = TemplateLexer(source)
    try lexer.run()
    return lexer.tokens
  }

  private init(_ source: [UInt8]) {
    // Newlines of every kind are "\n" to Jinja.
    var text: [UInt8] = []
    text.reserveCapacity(source.count)
    for (i, b) in source.enumerated() {
      if b == 0x0A, i > 0, source[i - 1] == 0x0D { continue }
      text.append(b == 0x0D ? 0x0A : b)
    }
    if text.last == 0x0A { text.removeLast() }
    self.source = text
  }

  private func starts(_ text: StaticString, at index: Int) -> Bool {
    let n = text.utf8CodeUnitCount
    guard index >= 0, n <= source.count - index else { return false }
    for i in 0..<n where source[index + i] != text.utf8Start[i] { return false }
    return true
  }

  private mutating func advance(to index: Int) {
    for b in source[at..<index] where b == 0x0A { line += 1 }
    if index > at { isLineStart = source[index - 1] == 0x0A }
    at = index
  }

  private mutating func append(_ kind: TemplateToken.Kind) { tokens.append(TemplateToken(kind: kind, line: line)) }

  private mutating func run() throws(TemplateError) {
    while at < source.count {
      var tag = at
      while tag < source.count,
        !(source[tag] == 0x7B && (starts("{%", at: tag) || starts("{{", at: tag) || starts("{#", at: tag)))
      {
        tag += 1
      }
      guard tag < source.count else {
        append(.data(Array(source[at...])))
        advance(to: tag)
        break
      }
      let kind = source[tag + 1]
      let sign = tag + 2 < source.count ? source[tag + 2] : 0
      appendData(to: tag, sign: sign, isVariable: kind == UInt8(ascii: "{"))
      let bodyStart = sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") ? tag + 3 : tag + 2
      switch kind {
      case UInt8(ascii: "#"): try skipComment(from: bodyStart)
      case UInt8(ascii: "%"):
        if let end = rawEnd(bodyStart) { try lexRaw(from: end) } else { try lexTag(from: bodyStart, isVariable: false) }
      default: try lexTag(from: bodyStart, isVariable: true)
      }
    }
    append(.end)
  }

  private mutating func appendData(to tag: Int, sign: UInt8, isVariable: Bool) {
    var end = tag
    if sign == UInt8(ascii: "-") {
      end = PythonText.rightTrimmed(source, from: at, to: tag)
    } else if sign != UInt8(ascii: "+"), !isVariable {
      var lineStart = tag
      while lineStart > at, source[lineStart - 1] != 0x0A { lineStart -= 1 }
      let isWholeLine = lineStart > at || isLineStart
      if isWholeLine, lineStart < tag, PythonText.rightTrimmed(source, from: lineStart, to: tag) == lineStart {
        end = lineStart
      }
    }
    if end > at { append(.data(Array(source[at..<end]))) }
    advance(to: tag)
  }

  /// After `%}` or `#}`: where the template goes on. `index` is at the sign, if any, or at the end mark.
  private mutating func finishBlock(at index: Int, trimsNewline: Bool) {
    switch source[index] {
    case UInt8(ascii: "-"): advance(to: PythonText.leftTrimmed(source, from: index + 3, to: source.count))
    case UInt8(ascii: "+"): advance(to: index + 3)
    default:
      let next = index + 2
      advance(to: trimsNewline && next < source.count && source[next] == 0x0A ? next + 1 : next)
    }
  }

  private mutating func skipComment(from start: Int) throws(TemplateError) {
    var i = start
    while i < source.count {
      if starts("#}", at: i) {
        let hasSign = i > start && (source[i - 1] == UInt8(ascii: "-") || source[i - 1] == UInt8(ascii: "+"))
        finishBlock(at: hasSign ? i - 1 : i, trimsNewline: true)
        return
      }
      i += 1
    }
    throw .syntax("a comment that does not end", line: line)
  }

  /// Where the text of `{% raw %}` begins (at the sign or the end mark), when the block is one.
  private func rawEnd(_ start: Int) -> Int? {
    var i = PythonText.leftTrimmed(source, from: start, to: source.count)
    guard starts("raw", at: i) else { return nil }
    i = PythonText.leftTrimmed(source, from: i + 3, to: source.count)
    return starts("%}", at: i) || starts("-%}", at: i) ? i : nil
  }

  private mutating func lexRaw(from end: Int) throws(TemplateError) {
    // Unlike other block tags, this one keeps the newline after it.
    finishBlock(at: end, trimsNewline: false)
    var tag = at
    while tag < source.count {
      if starts("{%", at: tag) {
        let sign = tag + 2 < source.count ? source[tag + 2] : 0
        let body = sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") ? tag + 3 : tag + 2
        var i = PythonText.leftTrimmed(source, from: body, to: source.count)
        if starts("endraw", at: i) {
          i = PythonText.leftTrimmed(source, from: i + 6, to: source.count)
          if starts("%}", at: i) || starts("-%}", at: i) || starts("+%}", at: i) {
            appendData(to: tag, sign: sign, isVariable: false)
            finishBlock(at: i, trimsNewline: true)
            return
          }
        }
      }
      tag += 1
    }
    throw .syntax("a raw block that does not end", line: line)
  }

  private mutating func lexTag(from start: Int, isVariable: Bool) throws(TemplateError) {
    append(isVariable ? .variableBegin : .blockBegin)
    advance(to: start)
    var brackets: [UInt8] = []
    while at < source.count {
      if brackets.isEmpty, let end = tagEnd(isVariable) {
        append(isVariable ? .variableEnd : .blockEnd)
        finishBlock(at: end, trimsNewline: !isVariable)
        return
      }
      let c = source[at]
      switch c {
      case 0x20, 0x09, 0x0A, 0x0B, 0x0C: advance(to: at + 1)
      case UInt8(ascii: "'"), UInt8(ascii: "\""): try lexString(c)
      case UInt8(ascii: "0")...UInt8(ascii: "9"): try lexNumber()
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "_"):
        var end = at
        while end < source.count, PythonText.isNameByte(source[end]) { end += 1 }
        append(.name(String(decoding: source[at..<end], as: UTF8.self)))
        advance(to: end)
      default: try lexSymbol(&brackets)
      }
    }
    throw .syntax(isVariable ? "an expression that does not end" : "a block tag that does not end", line: line)
  }

  private func tagEnd(_ isVariable: Bool) -> Int? {
    if isVariable { return starts("}}", at: at) || starts("-}}", at: at) ? at : nil }
    return starts("%}", at: at) || starts("-%}", at: at) || starts("+%}", at: at) ? at : nil
  }

  private mutating func lexSymbol(_ brackets: inout [UInt8]) throws(TemplateError) {
    for symbol in ["//", "**", "==", "!=", ">=", "<="] where source[at...].starts(with: symbol.utf8) {
      append(.symbol(symbol))
      advance(to: at + 2)
      return
    }
    let c = source[at]
    guard "+-/*%~[](){}<>=.:|,;".utf8.contains(c) else {
      throw .syntax("unexpected character \"\(Self.name(source, at))\"", line: line)
    }
    switch c {
    case UInt8(ascii: "("): brackets.append(UInt8(ascii: ")"))
    case UInt8(ascii: "["): brackets.append(UInt8(ascii: "]"))
    case UInt8(ascii: "{"): brackets.append(UInt8(ascii: "}"))
    case UInt8(ascii: ")"), UInt8(ascii: "]"), UInt8(ascii: "}"):
      guard brackets.popLast() == c else {
        throw .syntax("unexpected \"\(Self.name(source, at))\"", line: line)
      }
    default: break
    }
    append(.symbol(Self.name(source, at)))
    advance(to: at + 1)
  }

  private static func name(_ source: [UInt8], _ at: Int) -> String {
    let s = UTF8Text.scalar(source, at: at)
    return String(decoding: source[at..<(at + s.length)], as: UTF8.self)
  }

  private mutating func lexNumber() throws(TemplateError) {
    var end = at
    while end < source.count, PythonText.isDigit(source[end]) || source[end] == UInt8(ascii: "_") { end += 1 }
    var isDecimal = false
    // In "list.0.1" the numbers are indices.
    let isIndex = at > 0 && source[at - 1] == UInt8(ascii: ".")
    if !isIndex, end + 1 < source.count, source[end] == UInt8(ascii: "."), PythonText.isDigit(source[end + 1]) {
      isDecimal = true
      end += 1
      while end < source.count, PythonText.isDigit(source[end]) || source[end] == UInt8(ascii: "_") { end += 1 }
    }
    if end < source.count, source[end] | 0x20 == UInt8(ascii: "e") {
      throw .unsupported("a number with an exponent", line: line)
    }
    if end < source.count, PythonText.isNameByte(source[end]) { throw .syntax("a malformed number", line: line) }
    let text = String(decoding: source[at..<end].filter { $0 != UInt8(ascii: "_") }, as: UTF8.self)
    if isDecimal {
      append(.decimal(text))
    } else if let value = Int(text) {
      append(.integer(value))
    } else {
      throw .unsupported("an integer beyond 64 bits", line: line)
    }
    advance(to: end)
  }

  private mutating func lexString(_ quote: UInt8) throws(TemplateError) {
    var out: [UInt8] = []
    var i = at + 1
    while i < source.count, source[i] != quote {
      if source[i] == UInt8(ascii: "\\") {
        try PythonText.unescape(source, &i, into: &out, line: line)
      } else {
        out.append(source[i])
        i += 1
      }
    }
    guard i < source.count else { throw .syntax("a string that does not end", line: line) }
    append(.string(out))
    advance(to: i + 1)
  }
}
