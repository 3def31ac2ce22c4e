/// Methods of strings, lists and dictionaries.
extension TemplateInterpreter {
  static let stringMethods: Set<String> = [
    "strip", "lstrip", "rstrip", "split", "rsplit", "splitlines", "startswith", "endswith", "replace", "upper",
    "lower", "title", "capitalize", "find", "rfind", "index", "count", "join", "isdigit", "isalpha", "isalnum",
    "isspace", "isupper", "islower", "removeprefix", "removesuffix", "partition", "rpartition", "zfill", "ljust",
    "rjust", "format", "encode", "swapcase", "center",
  ]
  static let dictionaryMethods: Set<String> = [
    "items", "keys", "values", "get", "copy", "update", "pop", "popitem", "setdefault", "clear", "fromkeys",
  ]
  static let listMethods: Set<String> = [
    "index", "count", "append", "extend", "insert", "pop", "remove", "clear", "reverse", "sort", "copy",
  ]

  mutating func callMethod(
    _ name: String, of value: TemplateValue, _ arguments: TemplateCallArguments, _ line: Int
  ) throws(TemplateError) -> TemplateValue {
    try charge(value.weight)
    let arguments = arguments.plain
    switch value {
    case .string(let s): return try made(try callStringMethod(name, s, arguments, line))
    case .markup(let s): return try callMarkupMethod(name, s, arguments, line)
    case .dictionary(let d):
      switch name {
      case "items": return try pairs(d, kind: .items)
      case "keys": return try makeList(d.keys, kind: .keys)
      case "values": return try makeList(d.values, kind: .values)
      case "copy": return value
      case "get":
        guard let wanted = arguments.positional.first else { throw .failed("get takes a key", line: line) }
        return d[try hashed(wanted, line)] ?? arguments.value(1, "default") ?? .none
      default: throw .failed("\"\(name)\" would change a dictionary, which templates must not", line: line)
      }
    case .list(let l):
      let wanted = arguments.positional.first ?? .none
      switch name {
      case "count": return .integer(l.items.lazy.filter { $0.equals(wanted) }.count)
      case "copy": return value
      case "index":
        guard let i = l.items.firstIndex(where: { $0.equals(wanted) }) else {
          throw .failed("the list does not hold that value", line: line)
        }
        return .integer(i)
      default: throw .failed("\"\(name)\" would change a list, which templates must not", line: line)
      }
    case .loop(let loop):
      if name == "cycle" {
        guard !arguments.positional.isEmpty else { throw .failed("loop.cycle() takes values", line: line) }
        return arguments.positional[loop.index % arguments.positional.count]
      }
      let last = loop.lastChanged
      loop.lastChanged = arguments.positional
      guard let last, last.count == arguments.positional.count else { return .bool(true) }
      return .bool(!zip(last, arguments.positional).allSatisfy { $0.equals($1) })
    default: throw .unsupported("the method \"\(name)\"", line: line)
    }
  }

  /// The methods of a string that is marked as escaped give such strings, and escape what they put in.
  private mutating func callMarkupMethod(
    _ name: String, _ s: [UInt8], _ arguments: TemplateCallArguments, _ line: Int
  ) throws(TemplateError) -> TemplateValue {
    var arguments = arguments
    switch name {
    case "replace":
      if arguments.positional.count > 1 { arguments.positional[1] = .string(arguments.positional[1].escaped) }
    case "join", "format": throw .unsupported("\"\(name)\" of a string that is marked as escaped", line: line)
    default: break
    }
    let result = try callStringMethod(name, s, arguments, line)
    switch result {
    case .string(let s): return try made(.markup(s))
    case .list(let l): return try makeList(l.items.map { $0.text.map { .markup($0) } ?? $0 }, kind: l.kind)
    default: return result
    }
  }

  private func string(
    _ index: Int, _ keyword: String, of arguments: TemplateCallArguments, _ method: String, _ line: Int
  ) throws(TemplateError) -> [UInt8] {
    guard case .string(let s)? = arguments.value(index, keyword) else {
      throw .failed("\"\(method)\" takes a string", line: line)
    }
    return s
  }

  /// Nil when the argument is absent or none.
  private func optionalString(
    _ index: Int, _ keyword: String, of arguments: TemplateCallArguments, _ method: String, _ line: Int
  ) throws(TemplateError) -> [UInt8]? {
    switch arguments.value(index, keyword) ?? .none {
    case .none: return nil
    case .string(let s): return s
    default: throw .failed("\"\(method)\" takes a string", line: line)
    }
  }

  private mutating func callStringMethod(
    _ name: String, _ s: [UInt8], _ arguments: TemplateCallArguments, _ line: Int
  ) throws(TemplateError) -> TemplateValue {
    switch name {
    case "strip", "lstrip", "rstrip":
      let characters = try optionalString(0, "chars", of: arguments, name, line)
      return .string(PythonStrings.stripped(s, characters, left: name != "rstrip", right: name != "lstrip"))
    case "upper": return .string(CaseMapping.uppercased(s))
    case "lower": return .string(CaseMapping.lowercased(s))
    case "title": return .string(PythonStrings.title(s))
    case "capitalize": return .string(PythonStrings.capitalized(s))
    case "startswith", "endswith": return .bool(try hasAffix(name, s, arguments, line))
    case "split", "rsplit", "splitlines": return try split(name, s, arguments, line)
    case "replace":
      let old = try string(0, "old", of: arguments, name, line)
      let new = try string(1, "new", of: arguments, name, line)
      return .string(try replace(s, old, new, arguments.value(2, "count")?.asInteger))
    case "join":
      var out: [UInt8] = []
      for (i, item) in try items(of: arguments.positional.first ?? .none, line).enumerated() {
        guard let part = item.text else {
          throw .failed("\"join\" of a value of type \(item.typeName)", line: line)
        }
        if i > 0 { out.append(contentsOf: s) }
        try charge(part.count + s.count)
        out.append(contentsOf: part)
      }
      return .string(out)
    case "removeprefix":
      let prefix = try string(0, "prefix", of: arguments, name, line)
      return .string(s.starts(with: prefix) ? Array(s.dropFirst(prefix.count)) : s)
    case "removesuffix":
      let suffix = try string(0, "suffix", of: arguments, name, line)
      return .string(s.suffix(suffix.count).elementsEqual(suffix) ? Array(s.dropLast(suffix.count)) : s)
    case "partition", "rpartition":
      let separator = try string(0, "sep", of: arguments, name, line)
      guard !separator.isEmpty else { throw .failed("an empty separator", line: line) }
      let at =
        name == "partition" ? PythonText.find(separator, in: s) : PythonText.findLast(separator, in: s, before: s.count)
      guard let at else {
        let parts = name == "partition" ? [s, [], []] : [[], [], s]
        return try makeList(parts.map { .string($0) }, kind: .tuple)
      }
      let parts = [Array(s[..<at]), separator, Array(s[(at + separator.count)...])]
      return try makeList(parts.map { .string($0) }, kind: .tuple)
    case "format": return .string(try braceFormatted(s, arguments, line))
    case "swapcase":
      return .string(
        PythonText.ranges(s).flatMap { r -> [UInt8] in
          let piece = Array(s[r])
          let upper = CaseMapping.uppercased(piece)
          return piece == upper ? CaseMapping.lowercased(piece) : upper
        })
    case "center":
      let fill = try optionalString(1, "fillchar", of: arguments, name, line) ?? [0x20]
      return .string(try centered(s, try integer(arguments.positional.first ?? .none, line), fill))
    case "find", "rfind", "index", "count": return try search(name, s, arguments, line)
    case "isdigit", "isalpha", "isalnum", "isspace", "isupper", "islower": return .bool(Self.isAll(name, s))
    case "zfill", "ljust", "rjust":
      let width = try integer(arguments.positional.first ?? .none, line)
      let fill = name == "zfill" ? [0x30] : try optionalString(1, "fillchar", of: arguments, name, line) ?? [0x20]
      let length = PythonText.length(s)
      let missing = width <= length ? 0 : width - length
      try charge(missing)
      let padding = Array(repeatElement(fill, count: missing).joined())
      if name == "zfill", let sign = s.first, sign == UInt8(ascii: "-") || sign == UInt8(ascii: "+") {
        return .string([sign] + padding + s.dropFirst())
      }
      return .string(name == "ljust" ? s + padding : padding + s)
    default: throw .unsupported("the string method \"\(name)\"", line: line)
    }
  }

  private func hasAffix(
    _ name: String, _ s: [UInt8], _ arguments: TemplateCallArguments, _ line: Int
  ) throws(TemplateError) -> Bool {
    guard arguments.positional.count == 1 else { throw .unsupported("\"\(name)\" with a range", line: line) }
    let candidates: [TemplateValue]
    if case .list(let l) = arguments.positional[0], l.isTuple {
      candidates = l.items
    } else {
      candidates = arguments.positional
    }
    for candidate in candidates {
      guard case .string(let affix) = candidate else { throw .failed("\"\(name)\" takes a string", line: line) }
      if name == "startswith" ? s.starts(with: affix) : s.suffix(affix.count).elementsEqual(affix) { return true }
    }
    return false
  }

  private mutating func split(
    _ name: String, _ s: [UInt8], _ arguments: TemplateCallArguments, _ line: Int
  ) throws(TemplateError) -> TemplateValue {
    try charge(32 * s.count)
    if name == "splitlines" {
      let keepEnds = arguments.value(0, "keepends")?.isTrue ?? false
      return try makeList(PythonStrings.lines(s, keepEnds: keepEnds).map { .string($0) })
    }
    let separator = try optionalString(0, "sep", of: arguments, name, line)
    if let separator, separator.isEmpty { throw .failed("an empty separator", line: line) }
    let limit = arguments.value(1, "maxsplit")?.asInteger
    let max = limit.flatMap { $0 < 0 ? nil : $0 }
    guard name == "rsplit" else { return try makeList(PythonStrings.split(s, separator, max: max).map { .string($0) }) }
    guard let separator else {
      guard max == nil else { throw .unsupported("\"rsplit\" at white space with a maximum", line: line) }
      return try makeList(PythonStrings.split(s, nil, max: nil).map { .string($0) })
    }
    return try makeList(PythonStrings.splitFromRight(s, separator, max: max).map { .string($0) })
  }

  private mutating func search(
    _ name: String, _ s: [UInt8], _ arguments: TemplateCallArguments, _ line: Int
  ) throws(TemplateError) -> TemplateValue {
    guard arguments.positional.count == 1 else { throw .unsupported("\"\(name)\" with a range", line: line) }
    let needle = try string(0, "sub", of: arguments, name, line)
    if name == "count" {
      guard !needle.isEmpty else { return .integer(PythonText.length(s) + 1) }
      var count = 0
      var at = 0
      while let next = PythonText.find(needle, in: s, from: at) {
        count += 1
        at = next + needle.count
      }
      return .integer(count)
    }
    let at = name == "rfind" ? PythonText.findLast(needle, in: s, before: s.count) : PythonText.find(needle, in: s)
    guard let at else {
      if name == "index" { throw .failed("the string does not hold that text", line: line) }
      return .integer(-1)
    }
    return .integer(PythonText.length(Array(s[..<at])))
  }

  private static func isAll(_ name: String, _ s: [UInt8]) -> Bool {
    guard !s.isEmpty else { return false }
    switch name {
    case "isupper": return s == CaseMapping.uppercased(s) && s != CaseMapping.lowercased(s)
    case "islower": return s == CaseMapping.lowercased(s) && s != CaseMapping.uppercased(s)
    default:
      let letters = CategoryMask.letter
      let digits = CategoryMask.named("Nd")
      let numbers = CategoryMask.named("N")
      return UTF8Text.scalars(s).allSatisfy { c in
        let category: UInt32 = 1 << (UnicodeTables.properties[Int(c)] & 31)
        return switch name {
        case "isdigit": category & digits != 0
        case "isalpha": category & letters != 0
        case "isalnum": category & (letters | numbers) != 0
        default: PythonText.isSpace(c)
        }
      }
    }
  }
}
