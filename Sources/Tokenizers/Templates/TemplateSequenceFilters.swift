/// Filters on lists and dictionaries.
extension TemplateInterpreter {
  mutating func applySequenceFilter(
    _ name: String, to value: TemplateValue, _ arguments: TemplateCallArguments, _ line: Int
  ) throws(TemplateError) -> TemplateValue {
    switch name {
    case "list": return try makeList(try items(of: value, line))
    case "first":
      if case .list(let l) = value, l.kind == .generator {
        guard l.taken < l.items.count else { return .undefined("the first item of an empty sequence") }
        l.taken += 1
        return l.items[l.taken - 1]
      }
      return try items(of: value, line).first ?? .undefined("the first item of an empty sequence")
    case "last":
      if case .list(let l) = value, l.kind == .generator { throw .failed("a generator has no last item", line: line) }
      return try items(of: value, line).last ?? .undefined("the last item of an empty sequence")
    case "reverse":
      let items = try items(of: value, line)
      if case .string = value { return .string(items.reversed().flatMap(\.asText)) }
      if case .list(let l) = value, l.kind == .generator { return try makeList(items.reversed()) }
      return try makeList(items.reversed(), kind: .generator)
    case "items":
      if value.isUndefined { return try makeList([], kind: .generator) }
      guard case .dictionary(let d) = value else {
        throw .failed("items needs a dictionary, not \(value.typeName)", line: line)
      }
      return try pairs(d, kind: .generator)
    case "dictsort": return try sortedPairs(value, arguments, line)
    case "join": return try joined(value, arguments, line)
    case "map": return try mapped(value, arguments, line)
    case "select", "reject", "selectattr", "rejectattr": return try selected(name, value, arguments, line)
    case "sort": return try sorted(value, arguments, line)
    case "unique": return try unique(value, arguments, line)
    case "min", "max":
      var items = try items(of: value, line)
      // Among equals, Python takes the first.
      if name == "max" { items.reverse() }
      items = try sortedItems(items, arguments, line, checksEquality: false)
      return (name == "min" ? items.first : items.last) ?? .undefined("the \(name) of an empty sequence")
    case "sum": return try sum(value, arguments, line)
    case "batch", "slice": return try batches(name, value, arguments, line)
    case "groupby": return try grouped(value, arguments, line)
    default: throw .unsupported("the filter \"\(name)\"", line: line)
    }
  }

  mutating func pairs(_ d: TemplateDictionary, kind: TemplateList.Kind) throws(TemplateError) -> TemplateValue {
    var out: [TemplateValue] = []
    for (key, value) in zip(d.keys, d.values) { out.append(try makeList([key, value], kind: .tuple)) }
    return try makeList(out, kind: kind)
  }

  /// The member that `attribute='a.b'` names.
  private mutating func member(
    _ path: TemplateValue?, of value: TemplateValue, _ line: Int
  ) throws(TemplateError) -> TemplateValue {
    guard let path else { return value }
    if let index = path.asInteger { return try item(.integer(index), of: value, line) }
    var value = value
    for part in path.asText.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false) {
      if let index = Int(String(decoding: part, as: UTF8.self)) {
        value = try item(.integer(index), of: value, line)
      } else {
        value = try item(.string(Array(part)), of: value, line)
      }
    }
    return value
  }

  private mutating func joined(
    _ value: TemplateValue, _ arguments: TemplateCallArguments, _ line: Int
  ) throws(TemplateError) -> TemplateValue {
    let separator = (arguments.value(0, "d") ?? .string([])).asText
    var out: [UInt8] = []
    for (i, item) in try items(of: value, line).enumerated() {
      if i > 0 { out.append(contentsOf: separator) }
      try charge(item.weight + separator.count)
      try member(arguments.value(1, "attribute"), of: item, line).appendText(to: &out)
    }
    return try made(.string(out))
  }

  private mutating func mapped(
    _ value: TemplateValue, _ arguments: TemplateCallArguments, _ line: Int
  ) throws(TemplateError) -> TemplateValue {
    var out: [TemplateValue] = []
    // Whatever is false counts as empty here.
    guard value.isTrue else { return try makeList([], kind: .generator) }
    if arguments.positional.isEmpty, let path = arguments.value(0, "attribute") {
      for item in try items(of: value, line) {
        try step()
        let found = try member(path, of: item, line)
        out.append(found.isUndefined ? arguments.value(1, "default") ?? found : found)
      }
      return try makeList(out, kind: .generator)
    }
    guard case .string(let name)? = arguments.positional.first else { throw .failed("map takes a filter", line: line) }
    var rest = arguments
    rest.positional.removeFirst()
    for item in try items(of: value, line) {
      out.append(try apply(String(decoding: name, as: UTF8.self), to: item, rest, line))
    }
    return try makeList(out, kind: .generator)
  }

  private mutating func selected(
    _ name: String, _ value: TemplateValue, _ arguments: TemplateCallArguments, _ line: Int
  ) throws(TemplateError) -> TemplateValue {
    guard value.isTrue else { return try makeList([], kind: .generator) }
    var rest = arguments
    var path: TemplateValue?
    if name.hasSuffix("attr") {
      guard !rest.positional.isEmpty else { throw .failed("\(name) takes an attribute", line: line) }
      path = rest.positional.removeFirst()
    }
    let test: TemplateValue? = rest.positional.isEmpty ? nil : rest.positional.removeFirst()
    var out: [TemplateValue] = []
    for item in try items(of: value, line) {
      try step()
      let subject = try member(path, of: item, line)
      let isKept: Bool
      if let test {
        isKept = try holds(String(decoding: test.asText, as: UTF8.self), for: subject, rest, line)
      } else {
        isKept = subject.isTrue
      }
      if isKept == name.hasPrefix("select") { out.append(item) }
    }
    return try makeList(out, kind: .generator)
  }

  /// Sorts stably by a key; strings without regard to case unless asked.
  private mutating func sortedItems(
    _ items: [TemplateValue], _ arguments: TemplateCallArguments, _ line: Int, checksEquality: Bool = true
  ) throws(TemplateError) -> [TemplateValue] {
    let isCaseSensitive = arguments.named.last { $0.name == "case_sensitive" }?.value.isTrue ?? false
    let path = arguments.named.last { $0.name == "attribute" }?.value
    var keyed: [(key: TemplateValue, index: Int)] = []
    for (i, item) in items.enumerated() {
      try step()
      keyed.append((folded(try member(path, of: item, line), isCaseSensitive), i))
    }
    return try ordered(keyed, line, checksEquality: checksEquality).map { items[$0] }
  }

  private func folded(_ value: TemplateValue, _ isCaseSensitive: Bool) -> TemplateValue {
    if !isCaseSensitive, let s = value.text { return .string(CaseMapping.lowercased(s)) }
    return value
  }

  private mutating func ordered(
    _ keyed: [(key: TemplateValue, index: Int)], _ line: Int, checksEquality: Bool = false
  ) throws(TemplateError) -> [Int] {
    try charge(keyed.reduce(0) { TemplateValue.saturatingSum($0, $1.key.weight) })
    try charge(64 * keyed.count)
    var mismatch: (String, String)?
    let sorted = keyed.sorted { a, b in
      // Jinja sorts by lists of keys, and Python looks for the first that differ: equal ones need no order.
      if checksEquality, a.key.equals(b.key) { return a.index < b.index }
      guard let order = a.key.compared(to: b.key) else {
        mismatch = (a.key.typeName, b.key.typeName)
        return a.index < b.index
      }
      return order == 0 ? a.index < b.index : order < 0
    }
    if let (a, b) = mismatch { throw .failed("\(a) and \(b) cannot be sorted", line: line) }
    return sorted.map(\.index)
  }

  private mutating func sorted(
    _ value: TemplateValue, _ arguments: TemplateCallArguments, _ line: Int
  ) throws(TemplateError) -> TemplateValue {
    guard arguments.positional.count <= 1 else { throw .unsupported("sort with positional arguments", line: line) }
    let isReversed = arguments.value(0, "reverse")?.isTrue ?? false
    let items = try items(of: value, line)
    // Python keeps equal items in order when it sorts backwards, too.
    if isReversed { return try makeList(try sortedItems(items.reversed(), arguments, line).reversed()) }
    return try makeList(try sortedItems(items, arguments, line))
  }

  private mutating func sortedPairs(
    _ value: TemplateValue, _ arguments: TemplateCallArguments, _ line: Int
  ) throws(TemplateError) -> TemplateValue {
    guard case .dictionary(let d) = value else { throw .failed("dictsort needs a dictionary", line: line) }
    let isCaseSensitive = arguments.value(0, "case_sensitive")?.isTrue ?? false
    let byValue = arguments.value(1, "by")?.asText == Array("value".utf8)
    let isReversed = arguments.value(2, "reverse")?.isTrue ?? false
    var keyed: [(key: TemplateValue, index: Int)] = []
    for i in isReversed ? Array(d.keys.indices.reversed()) : Array(d.keys.indices) {
      keyed.append((folded(byValue ? d.values[i] : d.keys[i], isCaseSensitive), isReversed ? -i : i))
    }
    var order = try ordered(keyed, line).map { abs($0) }
    if isReversed { order.reverse() }
    var out: [TemplateValue] = []
    for i in order { out.append(try makeList([d.keys[i], d.values[i]], kind: .tuple)) }
    return try makeList(out)
  }

  private mutating func unique(
    _ value: TemplateValue, _ arguments: TemplateCallArguments, _ line: Int
  ) throws(TemplateError) -> TemplateValue {
    let isCaseSensitive = arguments.value(0, "case_sensitive")?.isTrue ?? false
    var seen: [TemplateValue] = []
    var out: [TemplateValue] = []
    for item in try items(of: value, line) {
      let key = folded(try member(arguments.value(1, "attribute"), of: item, line), isCaseSensitive)
      guard key.isHashable else { throw .failed("a value of type \(key.typeName) has no hash", line: line) }
      try charge(64 * seen.count + key.weight)
      if seen.contains(where: { $0.equals(key) }) { continue }
      seen.append(key)
      out.append(item)
    }
    return try makeList(out, kind: .generator)
  }

  private mutating func sum(
    _ value: TemplateValue, _ arguments: TemplateCallArguments, _ line: Int
  ) throws(TemplateError) -> TemplateValue {
    var total = arguments.value(1, "start") ?? .integer(0)
    for item in try items(of: value, line) {
      try step()
      total = try arithmetic("+", total, try member(arguments.value(0, "attribute"), of: item, line), line)
    }
    return total
  }

  private mutating func batches(
    _ name: String, _ value: TemplateValue, _ arguments: TemplateCallArguments, _ line: Int
  ) throws(TemplateError) -> TemplateValue {
    let items = try items(of: value, line)
    let size = try integer(arguments.value(0, name == "batch" ? "linecount" : "slices") ?? .none, line)
    let filler = arguments.value(1, "fill_with")
    guard size > 0, size <= 100_000 else { throw .failed("\(name) takes a count from 1 to 100000", line: line) }
    var out: [TemplateValue] = []
    if name == "batch" {
      var start = 0
      while start < items.count {
        var part = Array(items[start..<min(start + size, items.count)])
        if let filler, case .none = filler {
        } else if let filler {
          while part.count < size { part.append(filler) }
        }
        out.append(try makeList(part))
        start += size
      }
      return try makeList(out, kind: .generator)
    }
    var start = 0
    for i in 0..<size {
      let isLonger = i < items.count % size
      let end = start + items.count / size + (isLonger ? 1 : 0)
      var part = Array(items[start..<end])
      if let filler, !isLonger, items.count % size != 0 { part.append(filler) }
      out.append(try makeList(part))
      start = end
    }
    return try makeList(out, kind: .generator)
  }

  private mutating func grouped(
    _ value: TemplateValue, _ arguments: TemplateCallArguments, _ line: Int
  ) throws(TemplateError) -> TemplateValue {
    guard let path = arguments.value(0, "attribute") else { throw .failed("groupby takes an attribute", line: line) }
    let items = try items(of: value, line)
    var keyed: [(key: TemplateValue, index: Int)] = []
    var keys: [TemplateValue] = []
    for (i, item) in items.enumerated() {
      var key = try member(path, of: item, line)
      if key.isUndefined, let fallback = arguments.value(1, "default") { key = fallback }
      keys.append(key)
      keyed.append((folded(key, false), i))
    }
    var out: [TemplateValue] = []
    var group: [TemplateValue] = []
    var current: (label: TemplateValue, folded: TemplateValue)?
    for i in try ordered(keyed, line) {
      if let c = current, !c.folded.equals(keyed[i].key) {
        out.append(try makeList([c.label, try makeList(group)], kind: .tuple))
        group = []
        current = nil
      }
      if current == nil { current = (keys[i], keyed[i].key) }
      group.append(items[i])
    }
    if let c = current { out.append(try makeList([c.label, try makeList(group)], kind: .tuple)) }
    return try makeList(out)
  }
}
