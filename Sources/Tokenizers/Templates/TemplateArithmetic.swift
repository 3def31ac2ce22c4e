/// Operators on values. Integers are exact or an error; fractions are compared and printed, not computed.
extension TemplateInterpreter {
  mutating func arithmetic(
    _ name: String, _ left: TemplateValue, _ right: TemplateValue, _ line: Int
  ) throws(TemplateError) -> TemplateValue {
    if let a = left.asInteger, let b = right.asInteger { return try integers(name, a, b, line) }
    if name == "%", case .string(let format) = left {
      try charge(right.weight)
      return try made(.string(try percentFormatted(format, right, line)))
    }
    if case .bool(let b) = left { return try arithmetic(name, .integer(b ? 1 : 0), right, line) }
    if case .bool(let b) = right { return try arithmetic(name, left, .integer(b ? 1 : 0), line) }
    switch (name, left, right) {
    case ("+", .markup, _) where right.text != nil, ("+", _, .markup) where left.text != nil:
      // What is not marked as escaped is escaped.
      let (a, b) = (left.escaped, right.escaped)
      try charge(a.count + b.count)
      return .markup(a + b)
    case ("%", .markup, _): throw .unsupported("formatting a string that is marked as escaped", line: line)
    case ("*", .markup(let s), .integer), ("*", .integer, .markup(let s)):
      let (a, b) = left.text == nil ? (left, TemplateValue.string(s)) : (.string(s), right)
      return .markup(try arithmetic(name, a, b, line).asText)
    case ("+", .string(let a), .string(let b)):
      try charge(a.count + b.count)
      return .string(a + b)
    case ("+", .list(let a), .list(let b)) where a.kind == b.kind && (a.isTuple || a.kind == .list):
      return try makeList(a.items + b.items, kind: a.kind)
    case ("*", .string(let s), .integer(let n)), ("*", .integer(let n), .string(let s)):
      let (size, overflow) = s.count.multipliedReportingOverflow(by: max(n, 0))
      try charge(overflow ? Int.max : size)
      return .string(Array(repeatElement(s, count: max(n, 0)).joined()))
    case ("*", .list(let l), .integer(let n)) where l.isTuple || l.kind == .list,
      ("*", .integer(let n), .list(let l)) where l.isTuple || l.kind == .list:
      let (size, overflow) = l.weight.multipliedReportingOverflow(by: max(n, 0))
      try charge(overflow ? Int.max : size)
      return try makeList(Array(repeatElement(l.items, count: max(n, 0)).joined()), kind: l.kind)
    case (_, .undefined(let what), _), (_, _, .undefined(let what)):
      throw .failed("\(what) is undefined, and \"\(name)\" of it is wanted", line: line)
    case (_, .decimal, .decimal), (_, .decimal, .integer), (_, .integer, .decimal):
      throw .unsupported("arithmetic on fractions", line: line)
    default: throw .failed("\"\(name)\" between \(left.typeName) and \(right.typeName)", line: line)
    }
  }

  private func integers(_ name: String, _ a: Int, _ b: Int, _ line: Int) throws(TemplateError) -> TemplateValue {
    let result: (partialValue: Int, overflow: Bool)
    switch name {
    case "+": result = a.addingReportingOverflow(b)
    case "-": result = a.subtractingReportingOverflow(b)
    case "*": result = a.multipliedReportingOverflow(by: b)
    case "**": result = try power(a, b, line)
    default:
      guard b != 0 else { throw .failed("division by zero", line: line) }
      guard b != -1 || a != Int.min else { throw .unsupported("an integer beyond 64 bits", line: line) }
      let (quotient, remainder) = a.quotientAndRemainder(dividingBy: b)
      let isBelow = remainder != 0 && (remainder < 0) != (b < 0)
      switch name {
      case "//": result = (isBelow ? quotient - 1 : quotient, false)
      case "%": result = (isBelow ? remainder + b : remainder, false)
      default:
        guard remainder == 0, quotient.magnitude < 1 << 53 else { throw .unsupported("a fraction", line: line) }
        return .decimal("\(quotient).0")
      }
    }
    guard !result.overflow else { throw .unsupported("an integer beyond 64 bits", line: line) }
    return .integer(result.partialValue)
  }

  private func power(_ a: Int, _ b: Int, _ line: Int) throws(TemplateError) -> (partialValue: Int, overflow: Bool) {
    guard b >= 0 else { throw .unsupported("a negative power", line: line) }
    if a == 0 || a == 1 || a == -1 { return (b == 0 ? 1 : a == -1 && b % 2 == 0 ? 1 : a, false) }
    var value = 1
    for _ in 0..<min(b, 64) {
      let (next, overflow) = value.multipliedReportingOverflow(by: a)
      if overflow { return (0, true) }
      value = next
    }
    return (value, b > 64)
  }
}
