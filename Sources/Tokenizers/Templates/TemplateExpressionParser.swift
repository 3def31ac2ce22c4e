/// Expressions, by Jinja's precedence: conditional, or, and, not, comparison, + −, ~, * / // %, **, unary,
/// then attributes, items, calls, filters and tests.
extension TemplateParser {
  private func make(_ node: TemplateNode, _ line: Int) -> TemplateExpression {
    TemplateExpression(node: node, line: line)
  }

  private func checkChain(_ count: Int) throws(TemplateError) {
    if count > Self.chainMax { throw .limit("operators in a row", max: Self.chainMax) }
  }

  /// An expression, or several separated by commas, which make a tuple.
  mutating func parseTuple(allowsConditional: Bool = true) throws(TemplateError) -> TemplateExpression {
    let line = line
    let first = allowsConditional ? try parseExpression() : try parseOr()
    guard isSymbol(",") else { return first }
    var items = [first]
    while accept(symbol: ",") {
      switch token.kind {
      case .blockEnd, .variableEnd, .symbol(")"), .symbol("]"): return make(.list(items, isTuple: true), line)
      default: items.append(allowsConditional ? try parseExpression() : try parseOr())
      }
    }
    return make(.list(items, isTuple: true), line)
  }

  mutating func parseExpression() throws(TemplateError) -> TemplateExpression {
    try enter()
    defer { depth -= 1 }
    let line = line
    let value = try parseOr()
    guard accept(name: "if") else { return value }
    let condition = try parseOr()
    let otherwise: TemplateExpression? = accept(name: "else") ? try parseExpression() : nil
    return make(.conditional(value, condition: condition, otherwise: otherwise), line)
  }

  mutating func parseOr() throws(TemplateError) -> TemplateExpression {
    let line = line
    var items = [try parseAnd()]
    while accept(name: "or") {
      items.append(try parseAnd())
      try checkChain(items.count)
    }
    return items.count == 1 ? items[0] : make(.or(items), line)
  }

  private mutating func parseAnd() throws(TemplateError) -> TemplateExpression {
    let line = line
    var items = [try parseNot()]
    while accept(name: "and") {
      items.append(try parseNot())
      try checkChain(items.count)
    }
    return items.count == 1 ? items[0] : make(.and(items), line)
  }

  private mutating func parseNot() throws(TemplateError) -> TemplateExpression {
    let line = line
    guard accept(name: "not") else { return try parseComparison() }
    try enter()
    defer { depth -= 1 }
    return make(.not(try parseNot()), line)
  }

  private mutating func parseComparison() throws(TemplateError) -> TemplateExpression {
    let line = line
    let first = try parseSum()
    var rest: [(symbol: String, right: TemplateExpression)] = []
    while let name = acceptComparison() {
      rest.append((name, try parseSum()))
      try checkChain(rest.count)
    }
    return rest.isEmpty ? first : make(.comparison(first, rest), line)
  }

  private mutating func acceptComparison() -> String? {
    for symbol in ["==", "!=", "<=", ">=", "<", ">"] where accept(symbol: symbol) { return symbol }
    if accept(name: "in") { return "in" }
    if isName("not"), at + 1 < tokens.count, tokens[at + 1].kind == .name("in") {
      at += 2
      return "not in"
    }
    return nil
  }

  private mutating func parseSum() throws(TemplateError) -> TemplateExpression {
    let line = line
    let first = try parseConcatenation()
    var rest: [(symbol: String, right: TemplateExpression)] = []
    while isSymbol("+") || isSymbol("-") {
      let name = isSymbol("+") ? "+" : "-"
      at += 1
      rest.append((name, try parseConcatenation()))
      try checkChain(rest.count)
    }
    return rest.isEmpty ? first : make(.arithmetic(first, rest), line)
  }

  private mutating func parseConcatenation() throws(TemplateError) -> TemplateExpression {
    let line = line
    var items = [try parseProduct()]
    while accept(symbol: "~") {
      items.append(try parseProduct())
      try checkChain(items.count)
    }
    return items.count == 1 ? items[0] : make(.concatenation(items), line)
  }

  private mutating func parseProduct() throws(TemplateError) -> TemplateExpression {
    let line = line
    let first = try parsePower()
    var rest: [(symbol: String, right: TemplateExpression)] = []
    while let name = ["*", "/", "//", "%"].first(where: { isSymbol($0) }) {
      at += 1
      rest.append((name, try parsePower()))
      try checkChain(rest.count)
    }
    return rest.isEmpty ? first : make(.arithmetic(first, rest), line)
  }

  private mutating func parsePower() throws(TemplateError) -> TemplateExpression {
    let line = line
    let first = try parseUnary(withFilters: true)
    var rest: [(symbol: String, right: TemplateExpression)] = []
    while accept(symbol: "**") {
      rest.append(("**", try parseUnary(withFilters: true)))
      try checkChain(rest.count)
    }
    return rest.isEmpty ? first : make(.arithmetic(first, rest), line)
  }

  private mutating func parseUnary(withFilters: Bool) throws(TemplateError) -> TemplateExpression {
    try enter()
    defer { depth -= 1 }
    let line = line
    var node: TemplateExpression
    if accept(symbol: "-") {
      node = make(.negative(try parseUnary(withFilters: false)), line)
    } else if accept(symbol: "+") {
      node = make(.positive(try parseUnary(withFilters: false)), line)
    } else {
      node = try parsePrimary()
    }
    node = try parsePostfix(node)
    return withFilters ? try parseFiltersAndTests(node) : node
  }

  private mutating func parsePrimary() throws(TemplateError) -> TemplateExpression {
    let line = line
    let kind = token.kind
    at += 1
    switch kind {
    case .name("true"), .name("True"): return make(.bool(true), line)
    case .name("false"), .name("False"): return make(.bool(false), line)
    case .name("none"), .name("None"): return make(.none, line)
    case .name(let name):
      if Self.reserved.contains(name) { throw .syntax("unexpected \"\(name)\"", line: line) }
      if name == "varargs" { namesVarargs = true }
      if name == "kwargs" { namesKwargs = true }
      return make(.name(name), line)
    case .integer(let value): return make(.integer(value), line)
    case .decimal(let text): return make(.decimal(text), line)
    case .string(var text):
      while case .string(let more) = token.kind {
        text.append(contentsOf: more)
        at += 1
      }
      return make(.string(text), line)
    case .symbol("("):
      if accept(symbol: ")") { return make(.list([], isTuple: true), line) }
      let inner = try parseTuple()
      try expect(symbol: ")")
      return inner
    case .symbol("["):
      let items = try parseItems(end: "]")
      return make(.list(items, isTuple: false), line)
    case .symbol("{"): return try parseDictionary(line)
    default:
      at -= 1
      throw .syntax("expected a value\(found)", line: line)
    }
  }

  private mutating func parseItems(end: String) throws(TemplateError) -> [TemplateExpression] {
    var items: [TemplateExpression] = []
    while !isSymbol(end) {
      items.append(try parseExpression())
      if !accept(symbol: ",") { break }
    }
    try expect(symbol: end)
    return items
  }

  private mutating func parseDictionary(_ line: Int) throws(TemplateError) -> TemplateExpression {
    var members: [(key: TemplateExpression, value: TemplateExpression)] = []
    while !isSymbol("}") {
      let key = try parseExpression()
      try expect(symbol: ":")
      members.append((key, try parseExpression()))
      if !accept(symbol: ",") { break }
    }
    try expect(symbol: "}")
    return make(.dictionary(members), line)
  }

  private mutating func parsePostfix(_ base: TemplateExpression) throws(TemplateError) -> TemplateExpression {
    var node = base
    let outer = depth
    defer { depth = outer }
    while true {
      let line = line
      if isSymbol(".") || isSymbol("[") || isSymbol("(") { try enter() }
      if accept(symbol: ".") {
        if case .integer(let index) = token.kind {
          at += 1
          node = make(.item(node, make(.integer(index), line)), line)
        } else {
          node = make(.attribute(node, try expectName()), line)
        }
      } else if accept(symbol: "[") {
        node = try parseSubscript(node, line)
        try expect(symbol: "]")
      } else if isSymbol("(") {
        node = make(.call(node, try parseArguments()), line)
      } else {
        return node
      }
    }
  }

  private mutating func parseSubscript(
    _ node: TemplateExpression, _ line: Int
  ) throws(TemplateError) -> TemplateExpression {
    func ends() -> Bool { isSymbol(":") || isSymbol("]") }
    let start: TemplateExpression? = ends() ? nil : try parseTuple()
    guard accept(symbol: ":") else {
      guard let start else { throw .syntax("expected an index\(found)", line: line) }
      return make(.item(node, start), line)
    }
    let stop: TemplateExpression? = isSymbol(":") || isSymbol("]") ? nil : try parseExpression()
    var step: TemplateExpression?
    if accept(symbol: ":"), !isSymbol("]") { step = try parseExpression() }
    return make(.slice(node, start: start, stop: stop, step: step), line)
  }

  private mutating func parseArguments() throws(TemplateError) -> TemplateArguments {
    var arguments = TemplateArguments()
    try expect(symbol: "(")
    while !isSymbol(")") {
      if isSymbol("*") || isSymbol("**") { throw .unsupported("unpacking arguments", line: line) }
      if case .name(let name) = token.kind, at + 1 < tokens.count, tokens[at + 1].kind == .symbol("=") {
        at += 2
        arguments.named.append((name, try parseExpression()))
      } else {
        guard arguments.named.isEmpty else { throw .syntax("a positional argument after a named one", line: line) }
        arguments.positional.append(try parseExpression())
      }
      if !accept(symbol: ",") { break }
    }
    try expect(symbol: ")")
    return arguments
  }

  mutating func parseFilter() throws(TemplateError) -> TemplateCall {
    let line = line
    var name = try expectName()
    while accept(symbol: ".") { name += "." + (try expectName()) }
    let arguments = isSymbol("(") ? try parseArguments() : TemplateArguments()
    return TemplateCall(name: name, arguments: arguments, line: line)
  }

  private mutating func parseFiltersAndTests(_ base: TemplateExpression) throws(TemplateError) -> TemplateExpression {
    var node = base
    let outer = depth
    defer { depth = outer }
    while true {
      let line = line
      if accept(symbol: "|") {
        try enter()
        node = make(.filter(node, try parseFilter()), line)
      } else if accept(name: "is") {
        try enter()
        node = try parseTest(node, line)
      } else if isSymbol("(") {
        try enter()
        node = make(.call(node, try parseArguments()), line)
      } else {
        return node
      }
    }
  }

  private mutating func parseTest(
    _ node: TemplateExpression, _ line: Int
  ) throws(TemplateError) -> TemplateExpression {
    let isNegated = accept(name: "not")
    let name = try expectName()
    var arguments = TemplateArguments()
    if isSymbol("(") {
      arguments = try parseArguments()
    } else if startsTestArgument {
      if isName("is") { throw .syntax("tests cannot be chained", line: self.line) }
      let primary = try parsePrimary()
      arguments.positional = [try parsePostfix(primary)]
    }
    return make(.test(node, TemplateCall(name: name, arguments: arguments, line: line), negated: isNegated), line)
  }

  private var startsTestArgument: Bool {
    switch token.kind {
    case .name(let name): !["else", "or", "and", "if", "in", "not"].contains(name)
    case .string, .integer, .decimal, .symbol("["), .symbol("{"): true
    default: false
    }
  }
}
