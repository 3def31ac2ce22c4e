/// Tests: `value is name`.
extension TemplateInterpreter {
  /// What Jinja has, whether it is implemented here or not.
  static let testNames: Set<String> = [
    "odd", "even", "divisibleby", "defined", "undefined", "filter", "test", "none", "boolean", "false", "true",
    "integer", "float", "lower", "upper", "string", "mapping", "number", "sequence", "iterable", "callable", "sameas",
    "escaped", "in", "==", "eq", "equalto", "!=", "ne", ">", "gt", "greaterthan", "ge", ">=", "<", "lt", "lessthan",
    "<=", "le",
  ]
  static let filterNames: Set<String> = [
    "abs", "attr", "batch", "capitalize", "center", "count", "d", "default", "dictsort", "e", "escape",
    "filesizeformat", "first", "float", "forceescape", "format", "groupby", "indent", "int", "items", "join", "last",
    "length", "list", "lower", "map", "max", "min", "pprint", "random", "reject", "rejectattr", "replace", "reverse",
    "round", "safe", "select", "selectattr", "slice", "sort", "string", "striptags", "sum", "title", "tojson", "trim",
    "truncate", "unique", "upper", "urlencode", "urlize", "wordcount", "wordwrap", "xmlattr",
  ]

  mutating func holds(
    _ test: TemplateCall, for value: TemplateValue, _ scope: TemplateScope
  ) throws(TemplateError) -> Bool {
    try holds(test.name, for: value, try evaluate(test.arguments, scope).plain, test.line)
  }

  mutating func holds(
    _ name: String, for value: TemplateValue, _ arguments: TemplateCallArguments, _ line: Int
  ) throws(TemplateError) -> Bool {
    switch name {
    case "defined": return !value.isUndefined
    case "undefined": return value.isUndefined
    case "none": if case .none = value { return true } else { return false }
    case "boolean": if case .bool = value { return true } else { return false }
    case "true": if case .bool(true) = value { return true } else { return false }
    case "false": if case .bool(false) = value { return true } else { return false }
    case "string": return value.text != nil
    case "escaped": if case .markup = value { return true } else { return false }
    case "filter", "test":
      guard let wanted = value.text.map({ String(decoding: $0, as: UTF8.self) }) else { return false }
      return name == "filter" ? Self.filterNames.contains(wanted) : Self.testNames.contains(wanted)
    case "integer": if case .integer = value { return true } else { return false }
    case "float": if case .decimal = value { return true } else { return false }
    case "number": if case .decimal = value { return true } else { return value.asInteger != nil }
    case "mapping": if case .dictionary = value { return true } else { return false }
    case "callable": if case .function = value { return true } else { return false }
    case "sequence", "iterable":
      switch value {
      case .list(let l): return name == "iterable" || l.isIndexed
      case .string, .markup, .dictionary, .undefined: return true
      case .loop: return name == "iterable"
      default: return false
      }
    case "odd", "even":
      if let format = value.text {
        // To Python this is formatting, whose result is no number.
        _ = try percentFormatted(format, .integer(2), line)
        return false
      }
      return (try integer(value, line) % 2 == 0) == (name == "even")
    case "divisibleby":
      let divisor = try integer(arguments.value(0, "num") ?? .none, line)
      guard divisor != 0 else { throw .failed("division by zero", line: line) }
      return divisor == -1 ? true : try integer(value, line) % divisor == 0
    case "lower":
      try checkPrintable(value, line)
      let text = value.asText
      return text == CaseMapping.lowercased(text) && text != CaseMapping.uppercased(text)
    case "upper":
      try checkPrintable(value, line)
      let text = value.asText
      return text == CaseMapping.uppercased(text) && text != CaseMapping.lowercased(text)
    case "sameas": return isSame(value, try operand(name, arguments, line))
    case "in": return try compare("in", value, try operand(name, arguments, line), line)
    case "eq", "equalto", "==": return try compare("==", value, try operand(name, arguments, line), line)
    case "ne", "!=": return try compare("!=", value, try operand(name, arguments, line), line)
    case "lt", "lessthan", "<": return try compare("<", value, try operand(name, arguments, line), line)
    case "le", "<=": return try compare("<=", value, try operand(name, arguments, line), line)
    case "gt", "greaterthan", ">": return try compare(">", value, try operand(name, arguments, line), line)
    case "ge", ">=": return try compare(">=", value, try operand(name, arguments, line), line)
    default: throw .unsupported("the test \"\(name)\"", line: line)
    }
  }

  private func operand(
    _ name: String, _ arguments: TemplateCallArguments, _ line: Int
  ) throws(TemplateError) -> TemplateValue {
    guard let value = arguments.positional.first else {
      throw .failed("the test \"\(name)\" takes an argument", line: line)
    }
    return value
  }

  private func isSame(_ a: TemplateValue, _ b: TemplateValue) -> Bool {
    switch (a, b) {
    case (.list(let x), .list(let y)): x === y
    case (.dictionary(let x), .dictionary(let y)): x === y
    default: a.typeName == b.typeName && a.equals(b)
    }
  }

  func integer(_ value: TemplateValue, _ line: Int) throws(TemplateError) -> Int {
    if case .decimal = value { throw .unsupported("arithmetic on fractions", line: line) }
    guard let i = value.asInteger else {
      throw .failed("an integer is needed, not a value of type \(value.typeName)", line: line)
    }
    return i
  }
}
