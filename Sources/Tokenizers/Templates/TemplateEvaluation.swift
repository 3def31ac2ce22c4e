/// Expressions.
extension TemplateInterpreter {
  mutating func evaluate(
    _ expression: TemplateExpression, _ scope: TemplateScope
  ) throws(TemplateError) -> TemplateValue {
    try step()
    try enter()
    defer { leave() }
    let line = expression.line
    switch expression.node {
    case .name(let name): return scope[name] ?? .undefined(name)
    case .none: return .none
    case .bool(let b): return .bool(b)
    case .integer(let i): return .integer(i)
    case .decimal(let text): return .decimal(DecimalText.pythonRepresentation(text))
    case .string(let s): return .string(s)
    case .list(let items, let isTuple): return try makeList(try evaluate(items, scope), kind: isTuple ? .tuple : .list)
    case .dictionary(let members): return try evaluate(dictionary: members, scope, line)
    case .attribute(let base, let name): return try attribute(name, of: try evaluate(base, scope), line)
    case .item(let base, let index): return try item(try evaluate(index, scope), of: try evaluate(base, scope), line)
    case .slice(let base, let start, let stop, let step):
      return try slice(try evaluate(base, scope), start, stop, step, scope, line)
    case .call(let callee, let arguments): return try call(callee, arguments, scope, line, caller: nil)
    case .filter(let base, let filter): return try apply(filter, to: try evaluate(base, scope), scope)
    case .test(let base, let test, let negated):
      return .bool(try holds(test, for: try evaluate(base, scope), scope) != negated)
    case .not(let operand): return .bool(!(try evaluate(operand, scope).isTrue))
    case .negative(let operand): return try negated(try evaluate(operand, scope), line)
    case .positive(let operand): return try evaluate(operand, scope)
    case .arithmetic(let first, let rest):
      var value = try evaluate(first, scope)
      for (name, right) in rest { value = try arithmetic(name, value, try evaluate(right, scope), right.line) }
      return value
    case .concatenation(let items):
      var text: [UInt8] = []
      for value in try evaluate(items, scope) {
        try charge(value.weight)
        value.appendText(to: &text)
      }
      return try made(.string(text))
    case .comparison(let first, let rest): return try evaluate(comparison: first, rest, scope)
    case .and(let items): return try evaluate(items, scope, until: false)
    case .or(let items): return try evaluate(items, scope, until: true)
    case .conditional(let value, let condition, let otherwise):
      if try evaluate(condition, scope).isTrue { return try evaluate(value, scope) }
      if let otherwise { return try evaluate(otherwise, scope) }
      return .undefined("the inline if-expression, whose condition is false and which has no else,")
    }
  }

  mutating func evaluate(
    _ expressions: [TemplateExpression], _ scope: TemplateScope
  ) throws(TemplateError) -> [TemplateValue] {
    var values: [TemplateValue] = []
    for e in expressions { values.append(try evaluate(e, scope)) }
    return values
  }

  /// `and` and `or`: the first value whose truth decides, else the last.
  private mutating func evaluate(
    _ items: [TemplateExpression], _ scope: TemplateScope, until decisive: Bool
  ) throws(TemplateError) -> TemplateValue {
    var value = TemplateValue.none
    for item in items {
      value = try evaluate(item, scope)
      if value.isTrue == decisive { return value }
    }
    return value
  }

  private mutating func evaluate(
    dictionary members: [(key: TemplateExpression, value: TemplateExpression)], _ scope: TemplateScope, _ line: Int
  ) throws(TemplateError) -> TemplateValue {
    var out: [(key: TemplateValue, value: TemplateValue)] = []
    for (key, value) in members {
      let key = try evaluate(key, scope)
      _ = try hashed(key, line)
      out.append((key, try evaluate(value, scope)))
    }
    return try made(.dictionary(TemplateDictionary(out)))
  }

  func hashed(_ value: TemplateValue, _ line: Int) throws(TemplateError) -> TemplateKey {
    if let key = TemplateKey(value) { return key }
    if value.isHashable { throw .unsupported("a dictionary key of type \(value.typeName)", line: line) }
    throw .failed("a value of type \(value.typeName) has no hash", line: line)
  }

  private mutating func evaluate(
    comparison first: TemplateExpression, _ rest: [(symbol: String, right: TemplateExpression)],
    _ scope: TemplateScope
  ) throws(TemplateError) -> TemplateValue {
    var left = try evaluate(first, scope)
    for (name, expression) in rest {
      let right = try evaluate(expression, scope)
      guard try compare(name, left, right, expression.line) else { return .bool(false) }
      left = right
    }
    return .bool(true)
  }

  mutating func compare(
    _ name: String, _ left: TemplateValue, _ right: TemplateValue, _ line: Int
  ) throws(TemplateError) -> Bool {
    switch name {
    case "==", "!=":
      try charge(min(left.weight, right.weight))
      return left.equals(right) == (name == "==")
    case "in": return try contains(right, left, line)
    case "not in": return !(try contains(right, left, line))
    default:
      try charge(min(left.weight, right.weight))
      guard let order = left.compared(to: right) else {
        throw .failed("\"\(name)\" between \(left.typeName) and \(right.typeName)", line: line)
      }
      switch name {
      case "<": return order < 0
      case "<=": return order <= 0
      case ">": return order > 0
      default: return order >= 0
      }
    }
  }

  private mutating func contains(
    _ container: TemplateValue, _ value: TemplateValue, _ line: Int
  ) throws(TemplateError) -> Bool {
    try charge(container.weight)
    switch container {
    case .string(let s), .markup(let s):
      guard let needle = value.text else {
        throw .failed("a value of type \(value.typeName) cannot be in a string", line: line)
      }
      return PythonText.find(needle, in: s) != nil
    case .list(let l):
      let items = l.items[l.taken...]
      let found = items.firstIndex { $0.equals(value) }
      // Looking for something uses a generator up to there.
      if l.kind == .generator { l.taken = found.map { $0 + 1 } ?? l.items.count }
      return found != nil
    case .dictionary(let d):
      guard value.isHashable else { throw .failed("a value of type \(value.typeName) has no hash", line: line) }
      return TemplateKey(value).map { d[$0] != nil } ?? false
    case .undefined: return false
    default: throw .failed("a value of type \(container.typeName) contains nothing", line: line)
    }
  }

  private func negated(_ value: TemplateValue, _ line: Int) throws(TemplateError) -> TemplateValue {
    if let i = value.asInteger, i != Int.min { return .integer(-i) }
    if case .decimal(let text) = value {
      return .decimal(text.utf8.first == UInt8(ascii: "-") ? String(text.dropFirst()) : "-" + text)
    }
    throw .failed("\"-\" on a value of type \(value.typeName)", line: line)
  }

  // MARK: Members

  mutating func attribute(_ name: String, of value: TemplateValue, _ line: Int) throws(TemplateError) -> TemplateValue {
    switch value {
    case .undefined(let what): throw .failed("\(what) is undefined, and \"\(name)\" of it is wanted", line: line)
    case .namespace(let n): return n.members[name] ?? .undefined(name)
    case .loop(let loop): return loopAttribute(name, loop)
    case .dictionary(let d):
      // Python finds the methods of a dictionary before its members.
      if Self.dictionaryMethods.contains(name) { return .function(TemplateFunction(.method(value, name))) }
      return d[Array(name.utf8)] ?? .undefined(name)
    case .string where Self.stringMethods.contains(name), .markup where Self.stringMethods.contains(name):
      return .function(TemplateFunction(.method(value, name)))
    case .list(let l) where l.isIndexed && Self.listMethods.contains(name):
      guard l.kind == .list || ["index", "count"].contains(name) else { return .undefined(name) }
      return .function(TemplateFunction(.method(value, name)))
    default: return .undefined(name)
    }
  }

  /// A string that is marked as escaped if `value` is.
  func same(as value: TemplateValue, _ text: [UInt8]) -> TemplateValue {
    if case .markup = value { .markup(text) } else { .string(text) }
  }

  private func loopAttribute(_ name: String, _ loop: TemplateLoopState) -> TemplateValue {
    let count = loop.items.count
    switch name {
    case "index": return .integer(loop.index + 1)
    case "index0": return .integer(loop.index)
    case "revindex": return .integer(count - loop.index)
    case "revindex0": return .integer(count - loop.index - 1)
    case "first": return .bool(loop.index == 0)
    case "last": return .bool(loop.index == count - 1)
    case "length": return .integer(count)
    case "depth": return .integer(loop.depth)
    case "depth0": return .integer(loop.depth - 1)
    case "previtem": return loop.index > 0 ? loop.items[loop.index - 1] : .undefined("there is no previous item")
    case "nextitem": return loop.index + 1 < count ? loop.items[loop.index + 1] : .undefined("there is no next item")
    case "cycle", "changed": return .function(TemplateFunction(.method(.loop(loop), name)))
    default: return .undefined(name)
    }
  }

  mutating func item(
    _ index: TemplateValue, of value: TemplateValue, _ line: Int
  ) throws(TemplateError) -> TemplateValue {
    if case .undefined(let what) = value {
      throw .failed("\(what) is undefined, and an item of it is wanted", line: line)
    }
    if case .dictionary(let d) = value, let key = TemplateKey(index) {
      if let member = d[key] { return member }
    } else if let i = index.asInteger {
      switch value {
      case .list(let l) where l.isIndexed:
        return l.items.indices.contains(i < 0 ? i + l.items.count : i)
          ? l.items[i < 0 ? i + l.items.count : i] : .undefined("an item beyond the end")
      case .string(let s), .markup(let s):
        try charge(s.count)
        let ranges = PythonText.ranges(s)
        let position = i < 0 ? i + ranges.count : i
        guard ranges.indices.contains(position) else { return .undefined("an item beyond the end") }
        return same(as: value, Array(s[ranges[position]]))
      default: break
      }
    }
    // Where there is no such item, Jinja looks for an attribute.
    if let name = index.text {
      if case .dictionary = value, !Self.dictionaryMethods.contains(String(decoding: name, as: UTF8.self)) {
        return .undefined(String(decoding: name, as: UTF8.self))
      }
      return try attribute(String(decoding: name, as: UTF8.self), of: value, line)
    }
    return .undefined("an item")
  }

  private mutating func slice(
    _ value: TemplateValue, _ start: TemplateExpression?, _ stop: TemplateExpression?, _ step: TemplateExpression?,
    _ scope: TemplateScope, _ line: Int
  ) throws(TemplateError) -> TemplateValue {
    func bound(
      _ e: TemplateExpression?, _ interpreter: inout TemplateInterpreter
    ) throws(TemplateError) -> Int? {
      guard let e else { return nil }
      let value = try interpreter.evaluate(e, scope)
      if case .none = value { return nil }
      guard let i = value.asInteger else {
        throw .failed("a slice bound of type \(value.typeName)", line: line)
      }
      return i
    }
    let low = try bound(start, &self)
    let high = try bound(stop, &self)
    let stride = try bound(step, &self) ?? 1
    guard stride != 0 else { throw .failed("a slice with step 0", line: line) }
    switch value {
    case .list(let l) where l.isIndexed:
      let items = PythonSlice.indices(count: l.items.count, low, high, stride).map { l.items[$0] }
      return try makeList(items, kind: l.kind)
    case .string(let s), .markup(let s):
      try charge(16 * s.count)
      let ranges = PythonText.ranges(s)
      return same(as: value, PythonSlice.indices(count: ranges.count, low, high, stride).flatMap { s[ranges[$0]] })
    case .undefined(let what): throw .failed("\(what) is undefined, and a slice of it is wanted", line: line)
    default: throw .failed("a slice of a value of type \(value.typeName)", line: line)
    }
  }
}

/// Which items a Python slice takes.
enum PythonSlice {
  static func indices(count: Int, _ start: Int?, _ stop: Int?, _ step: Int) -> [Int] {
    func clamp(_ i: Int, _ low: Int, _ high: Int) -> Int {
      // A negative bound counts from the end.
      min(max(i < 0 ? max(i, -count - 1) + count : i, low), high)
    }
    var out: [Int] = []
    if step > 0 {
      var i = start.map { clamp($0, 0, count) } ?? 0
      let end = stop.map { clamp($0, 0, count) } ?? count
      while i < end {
        out.append(i)
        let (next, overflow) = i.addingReportingOverflow(step)
        if overflow { break }
        i = next
      }
    } else {
      var i = start.map { clamp($0, -1, count - 1) } ?? count - 1
      let end = stop.map { clamp($0, -1, count - 1) } ?? -1
      while i > end {
        out.append(i)
        let (next, overflow) = i.addingReportingOverflow(step)
        if overflow { break }
        i = next
      }
    }
    return out
  }
}
