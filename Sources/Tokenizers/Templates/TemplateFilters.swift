/// Filters: `value | name`. Those that work on sequences are in TemplateSequenceFilters.swift.
extension TemplateInterpreter {
  mutating func apply(
    _ filter: TemplateCall, to value: TemplateValue, _ scope: TemplateScope
  ) throws(TemplateError) -> TemplateValue {
    try apply(filter.name, to: value, try evaluate(filter.arguments, scope), filter.line)
  }

  mutating func apply(
    _ name: String, to value: TemplateValue, _ arguments: TemplateCallArguments, _ line: Int
  ) throws(TemplateError) -> TemplateValue {
    try step()
    try charge(value.weight)
    if case .markup(let s) = value { return try apply(name, toMarkup: s, arguments, line) }
    let arguments = ["default", "d"].contains(name) ? arguments : arguments.plain
    switch name {
    case "default", "d":
      let useFallback = value.isUndefined || (arguments.value(1, "boolean")?.isTrue == true && !value.isTrue)
      return useFallback ? arguments.value(0, "default_value") ?? .string([]) : value
    case "string": return try made(.string(value.asText))
    case "safe": return try made(.markup(value.asText))
    case "escape", "e", "forceescape": return try made(.markup(value.escaped))
    case "format":
      let values: TemplateValue
      if arguments.named.isEmpty {
        values = try makeList(arguments.positional, kind: .tuple)
      } else {
        values = try made(.dictionary(TemplateDictionary(arguments.named.map { (.text($0.name), $0.value) })))
      }
      return try made(.string(try percentFormatted(value.asText, values, line)))
    case "tojson": return try toJSON(value, arguments, line)
    case "length", "count": return .integer(try count(value, line))
    case "int":
      if let base = arguments.value(1, "base"), !base.equals(.integer(10)), value.text != nil {
        throw .unsupported("the filter \"int\" with a base", line: line)
      }
      if case .undefined(let what) = value {
        throw .failed("\(what) is undefined, and an integer is wanted", line: line)
      }
      if let i = toInteger(value) { return .integer(i) }
      return .integer(try integer(arguments.value(0, "default") ?? .integer(0), line))
    case "float": return try toFloat(value, line)
    case "abs":
      if case .decimal(let text) = value { return .decimal(text.hasPrefix("-") ? String(text.dropFirst()) : text) }
      let i = try integer(value, line)
      guard i != Int.min else { throw .unsupported("an integer beyond 64 bits", line: line) }
      return .integer(abs(i))
    case "attr":
      guard case .string(let member)? = arguments.value(0, "name") else {
        throw .failed("attr takes a name", line: line)
      }
      if case .dictionary = value { return .undefined(String(decoding: member, as: UTF8.self)) }
      return try attribute(String(decoding: member, as: UTF8.self), of: value, line)
    case "indent":
      guard case .string = value else { throw .failed("indent of a value of type \(value.typeName)", line: line) }
      return try made(try textFilter(name, value.asText, arguments, line))
    case "trim", "upper", "lower", "capitalize", "title", "replace", "wordcount", "center", "truncate":
      return try made(try textFilter(name, value.asText, arguments, line))
    default: return try applySequenceFilter(name, to: value, arguments, line)
    }
  }

  /// A string that is marked as escaped stays so where Python's methods keep the type.
  private mutating func apply(
    _ name: String, toMarkup text: [UInt8], _ arguments: TemplateCallArguments, _ line: Int
  ) throws(TemplateError) -> TemplateValue {
    switch name {
    case "safe", "escape", "e", "string": return .markup(text)
    case "default", "d":
      let value = try apply(name, to: .string(text), arguments, line)
      return !text.isEmpty ? .markup(text) : value
    case "upper", "lower", "trim", "capitalize", "center", "indent":
      return .markup(try apply(name, to: .string(text), arguments, line).asText)
    case "reverse", "format", "truncate":
      throw .unsupported("\"\(name)\" of a string that is marked as escaped", line: line)
    default: return try apply(name, to: .string(text), arguments, line)
    }
  }

  func count(_ value: TemplateValue, _ line: Int) throws(TemplateError) -> Int {
    switch value {
    case .string(let s), .markup(let s): return PythonText.length(s)
    case .list(let l) where l.kind != .generator: return l.items.count
    case .dictionary(let d): return d.keys.count
    case .undefined: return 0
    case .loop(let l): return l.items.count
    default: throw .failed("a value of type \(value.typeName) has no length", line: line)
    }
  }

  private mutating func toJSON(
    _ value: TemplateValue, _ arguments: TemplateCallArguments, _ line: Int
  ) throws(TemplateError) -> TemplateValue {
    for (name, _) in arguments.named where !["indent", "separators", "ensure_ascii", "sort_keys"].contains(name) {
      throw .unsupported("tojson with \"\(name)\"", line: line)
    }
    guard arguments.positional.count <= 4 else { throw .failed("tojson takes four arguments", line: line) }
    var indent: [UInt8]?
    switch arguments.value(1, "indent") ?? .none {
    case .none: break
    case .integer(let n):
      guard n <= 64 else { throw .limit("columns of indentation", max: 64) }
      indent = Array(repeating: 0x20, count: max(n, 0))
    case .string(let s): indent = s
    default: throw .unsupported("such an indentation for tojson", line: line)
    }
    var separators: ([UInt8], [UInt8])?
    if case .list(let l)? = arguments.value(2, "separators") {
      guard l.items.count == 2, case .string(let a) = l.items[0], case .string(let b) = l.items[1] else {
        throw .failed("tojson takes two separators", line: line)
      }
      separators = (a, b)
    }
    var writer = TemplateJSONWriter(indent: indent, separators: separators)
    writer.escapesNonASCII = arguments.value(0, "ensure_ascii")?.isTrue ?? false
    writer.sortsKeys = arguments.value(3, "sort_keys")?.isTrue ?? false
    let longest = max(indent?.count ?? 0, separators?.0.count ?? 2, separators?.1.count ?? 2)
    try charge(
      value.weight.multipliedReportingOverflow(by: 1 + longest * (indent == nil ? 1 : value.nesting)).partialValue)
    writer.write(value)
    if let type = writer.offender { throw .failed("a value of type \(type) cannot be written as JSON", line: line) }
    return try made(.string(writer.out))
  }

  private func toInteger(_ value: TemplateValue) -> Int? {
    switch value {
    case .decimal(let text):
      guard !text.utf8.contains(UInt8(ascii: "e")) else { return nil }
      return Int(text.prefix { $0 != "." })
    case .string(let s):
      let end = PythonText.rightTrimmed(s, from: 0, to: s.count)
      let text = String(decoding: s[min(PythonText.leftTrimmed(s, from: 0, to: s.count), end)..<end], as: UTF8.self)
      if let i = Int(text) { return i }
      // Jinja reads the text as a float then, and cuts it off.
      let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
      guard parts.count == 2, parts[1].utf8.allSatisfy({ PythonText.isDigit($0) }) else { return nil }
      return Int(parts[0])
    default: return value.asInteger
    }
  }

  private func toFloat(_ value: TemplateValue, _ line: Int) throws(TemplateError) -> TemplateValue {
    if case .decimal = value { return value }
    if case .undefined(let what) = value { throw .failed("\(what) is undefined, and a number is wanted", line: line) }
    if let i = value.asInteger, i.magnitude < 1 << 53 { return .decimal("\(i).0") }
    throw .unsupported("the filter \"float\" on a value of type \(value.typeName)", line: line)
  }

  private mutating func textFilter(
    _ name: String, _ text: [UInt8], _ arguments: TemplateCallArguments, _ line: Int
  ) throws(TemplateError) -> TemplateValue {
    switch name {
    case "trim":
      var characters: [UInt8]?
      if case .string(let s)? = arguments.value(0, "chars") { characters = s }
      return .string(PythonStrings.stripped(text, characters, left: true, right: true))
    case "upper": return .string(CaseMapping.uppercased(text))
    case "lower": return .string(CaseMapping.lowercased(text))
    case "capitalize": return .string(PythonStrings.capitalized(text))
    case "title": return .string(PythonStrings.jinjaTitle(text))
    case "replace":
      guard case .string(let old)? = arguments.value(0, "old"), case .string(let new)? = arguments.value(1, "new")
      else {
        throw .failed("replace takes two strings", line: line)
      }
      return .string(try replace(text, old, new, arguments.value(2, "count")?.asInteger))
    case "indent": return .string(try indented(text, arguments, line))
    case "wordcount": return .integer(PythonStrings.wordCount(text))
    case "center":
      return .string(try centered(text, try integer(arguments.value(0, "width") ?? .integer(80), line), [0x20]))
    default: return .string(try truncated(text, arguments, line))
    }
  }

  /// `str.center`.
  mutating func centered(_ text: [UInt8], _ width: Int, _ fill: [UInt8]) throws(TemplateError) -> [UInt8] {
    let missing = width - PythonText.length(text)
    guard width > 0, missing > 0 else { return text }
    try charge(missing)
    let left = missing / 2 + (missing & width & 1)
    let padding = { (count: Int) in Array(repeatElement(fill, count: count).joined()) }
    return padding(left) + text + padding(missing - left)
  }

  private func truncated(
    _ text: [UInt8], _ arguments: TemplateCallArguments, _ line: Int
  ) throws(TemplateError) -> [UInt8] {
    let length = try integer(arguments.value(0, "length") ?? .integer(255), line)
    let end = (arguments.value(2, "end") ?? .text("...")).asText
    var leeway = 5
    if let given = arguments.value(3, "leeway"), !given.equals(.none) { leeway = try integer(given, line) }
    let kept = length.subtractingReportingOverflow(PythonText.length(end))
    guard !kept.overflow, kept.partialValue >= 0, leeway >= 0 else {
      throw .failed("truncate to less than its end", line: line)
    }
    let ranges = PythonText.ranges(text)
    let (longest, overflow) = length.addingReportingOverflow(leeway)
    if overflow || ranges.count <= longest { return text }
    let start = Array(text[..<(ranges.count > kept.partialValue ? ranges[kept.partialValue].lowerBound : text.count)])
    if arguments.value(1, "killwords")?.isTrue ?? false { return start + end }
    return (start.lastIndex(of: 0x20).map { Array(start[..<$0]) } ?? start) + end
  }

  mutating func replace(
    _ text: [UInt8], _ old: [UInt8], _ new: [UInt8], _ count: Int?
  ) throws(TemplateError) -> [UInt8] {
    // Paid in advance: the result can be much longer than the text.
    let places = old.isEmpty ? text.count + 1 : text.count / old.count
    let (growth, overflow) = places.multipliedReportingOverflow(by: new.count)
    if overflow || growth > 1 << 20 {
      var found = 0
      var at = 0
      while !old.isEmpty, let next = PythonText.find(old, in: text, from: at) {
        found += 1
        at = next + old.count
      }
      try charge((old.isEmpty ? places : found).multipliedReportingOverflow(by: new.count).partialValue)
    }
    return PythonText.replacing(text, old, with: new, count: count.flatMap { $0 < 0 ? nil : $0 })
  }

  private mutating func indented(
    _ text: [UInt8], _ arguments: TemplateCallArguments, _ line: Int
  ) throws(TemplateError) -> [UInt8] {
    var indentation: [UInt8]
    switch arguments.value(0, "width") ?? .integer(4) {
    case .string(let s): indentation = s
    case let width:
      let n = try integer(width, line)
      guard n <= 1024 else { throw .limit("columns of indentation", max: 1024) }
      indentation = Array(repeating: 0x20, count: max(n, 0))
    }
    let first = arguments.value(1, "first")?.isTrue ?? false
    let blank = arguments.value(2, "blank")?.isTrue ?? false
    let lines = PythonStrings.lines(text + [0x0A], keepEnds: false)
    try charge(lines.count.multipliedReportingOverflow(by: indentation.count + 1).partialValue)
    var out = first ? indentation : []
    for (i, line) in lines.enumerated() {
      if i > 0 {
        out.append(0x0A)
        if blank || !line.isEmpty { out.append(contentsOf: indentation) }
      }
      out.append(contentsOf: line)
    }
    return out
  }
}
