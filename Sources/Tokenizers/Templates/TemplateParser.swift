/// Builds statements and expressions from tokens. Expressions are in TemplateExpressionParser.swift.
struct TemplateParser {
  /// Nesting of groups, blocks and operators together.
  static let depthMax = 96
  /// How many filters, attributes, calls or operators may follow each other.
  static let chainMax = 256

  let tokens: [TemplateToken]
  var at = 0
  var depth = 0
  private var loopDepth = 0
  /// Which of `varargs` and `kwargs` the macro at hand has named.
  var namesVarargs = false
  var namesKwargs = false

  static func parse(_ source: [UInt8]) throws(TemplateError) -> [TemplateStatement] {
    var parser = TemplateParser(tokens: try TemplateLexer.tokens(source))
    let (body, _) = try parser.parseBody(until: [])
    return body
  }

  private init(tokens: [TemplateToken]) { self.tokens = tokens }

  var token: TemplateToken { tokens[min(at, tokens.count - 1)] }
  var line: Int { token.line }

  func isSymbol(_ text: String) -> Bool { token.kind == .symbol(text) }
  func isName(_ text: String) -> Bool { token.kind == .name(text) }

  mutating func accept(symbol text: String) -> Bool {
    guard isSymbol(text) else { return false }
    at += 1
    return true
  }

  mutating func accept(name text: String) -> Bool {
    guard isName(text) else { return false }
    at += 1
    return true
  }

  mutating func expect(symbol text: String) throws(TemplateError) {
    guard accept(symbol: text) else { throw .syntax("expected \"\(text)\"\(found)", line: line) }
  }

  mutating func expectName() throws(TemplateError) -> String {
    guard case .name(let name) = token.kind else { throw .syntax("expected a name\(found)", line: line) }
    at += 1
    return name
  }

  var found: String {
    switch token.kind {
    case .name(let n): ", found \"\(n)\""
    case .symbol(let s): ", found \"\(s)\""
    case .string: ", found a string"
    case .integer, .decimal: ", found a number"
    case .blockEnd, .variableEnd: ", found the end of the tag"
    case .data, .blockBegin, .variableBegin: ""
    case .end: ", found the end of the template"
    }
  }

  mutating func enter() throws(TemplateError) {
    depth += 1
    if depth > Self.depthMax { throw .limit("levels of nesting", max: Self.depthMax) }
  }

  private mutating func expectBlockEnd() throws(TemplateError) {
    guard token.kind == .blockEnd else { throw .syntax("expected the end of the tag\(found)", line: line) }
    at += 1
  }

  /// Statements up to a block tag whose name is in `names`; that name is consumed.
  private mutating func parseBody(until names: [String]) throws(TemplateError) -> ([TemplateStatement], String) {
    try enter()
    defer { depth -= 1 }
    var body: [TemplateStatement] = []
    while true {
      let line = line
      switch token.kind {
      case .end:
        if names.isEmpty { return (body, "") }
        throw .syntax("the template ends where \"\(names.joined(separator: "\" or \""))\" was expected", line: line)
      case .data(let text):
        at += 1
        body.append(.text(text))
      case .variableBegin:
        at += 1
        body.append(.output(try parseTuple()))
        guard token.kind == .variableEnd else {
          throw .syntax("expected the end of the expression\(found)", line: self.line)
        }
        at += 1
      case .blockBegin:
        at += 1
        let name = try expectName()
        if names.contains(name) { return (body, name) }
        try parseStatement(name, line, into: &body)
      default: throw .syntax("unexpected token", line: line)
      }
    }
  }

  private mutating func parseStatement(
    _ name: String, _ line: Int, into body: inout [TemplateStatement]
  ) throws(TemplateError) {
    switch name {
    case "if": body.append(try parseIf())
    case "for": body.append(try parseFor())
    case "set": body.append(try parseSet())
    case "macro":
      let name = try expectName()
      body.append(.macro(try parseMacro(name, end: "endmacro")))
    case "call": body.append(try parseCallBlock())
    case "filter":
      let filters = try parseFilterChain()
      try expectBlockEnd()
      let (inner, _) = try parseBody(until: ["endfilter"])
      try expectBlockEnd()
      body.append(.filterBlock(filters, body: inner))
    case "with": body.append(try parseWith())
    case "generation":
      try expectBlockEnd()
      let (inner, _) = try parseBody(until: ["endgeneration"])
      try expectBlockEnd()
      body.append(.group(inner))
    case "break", "continue":
      guard loopDepth > 0 else { throw .syntax("\"\(name)\" outside a loop", line: line) }
      try expectBlockEnd()
      body.append(name == "break" ? .breakLoop : .continueLoop)
    case "else", "elif", "endif", "endfor", "endset", "endmacro", "endcall", "endfilter", "endwith", "endgeneration":
      throw .syntax("unexpected \"\(name)\"", line: line)
    default: throw .unsupported("the tag \"\(name)\"", line: line)
    }
  }

  private mutating func parseIf() throws(TemplateError) -> TemplateStatement {
    var branches: [(condition: TemplateExpression, body: [TemplateStatement])] = []
    while true {
      let condition = try parseTuple()
      try expectBlockEnd()
      let (body, end) = try parseBody(until: ["elif", "else", "endif"])
      branches.append((condition, body))
      if end == "elif" { continue }
      var otherwise: [TemplateStatement] = []
      if end == "else" {
        try expectBlockEnd()
        (otherwise, _) = try parseBody(until: ["endif"])
      }
      try expectBlockEnd()
      return .conditional(branches, otherwise: otherwise)
    }
  }

  private mutating func parseFor() throws(TemplateError) -> TemplateStatement {
    let target = try parseTarget(attributes: false)
    guard accept(name: "in") else { throw .syntax("expected \"in\"\(found)", line: line) }
    let items = try parseTuple(allowsConditional: false)
    let condition: TemplateExpression? = accept(name: "if") ? try parseExpression() : nil
    let isRecursive = accept(name: "recursive")
    try expectBlockEnd()
    loopDepth += 1
    let (body, end) = try parseBody(until: ["else", "endfor"])
    loopDepth -= 1
    var otherwise: [TemplateStatement] = []
    if end == "else" {
      try expectBlockEnd()
      (otherwise, _) = try parseBody(until: ["endfor"])
    }
    try expectBlockEnd()
    return .loop(
      TemplateLoop(
        target: target, items: items, condition: condition, isRecursive: isRecursive, body: body,
        otherwise: otherwise))
  }

  private mutating func parseTarget(attributes: Bool) throws(TemplateError) -> TemplateTarget {
    var targets: [TemplateTarget] = []
    var isTuple = false
    repeat {
      if accept(symbol: "(") {
        try enter()
        targets.append(try parseTarget(attributes: false))
        depth -= 1
        try expect(symbol: ")")
      } else if !targets.isEmpty, !isNameToken {
        break
      } else {
        let line = line
        let name = try expectName()
        if Self.reserved.contains(name) { throw .syntax("cannot assign to \"\(name)\"", line: line) }
        if attributes, targets.isEmpty, accept(symbol: ".") { return .attribute(name, try expectName()) }
        targets.append(.name(name))
      }
      if isSymbol(",") { isTuple = true }
    } while accept(symbol: ",")
    return isTuple ? .tuple(targets) : targets[0]
  }

  private var isNameToken: Bool { if case .name = token.kind { true } else { false } }

  static let reserved: Set<String> = [
    "true", "false", "none", "True", "False", "None", "and", "or", "not", "in", "is", "if", "else",
  ]

  private mutating func parseSet() throws(TemplateError) -> TemplateStatement {
    let target = try parseTarget(attributes: true)
    if accept(symbol: "=") {
      let value = try parseTuple()
      try expectBlockEnd()
      return .set(target, value)
    }
    let filters: [TemplateCall] = accept(symbol: "|") ? try parseFilterChain() : []
    try expectBlockEnd()
    let (body, _) = try parseBody(until: ["endset"])
    try expectBlockEnd()
    return .setBlock(target, filters: filters, body: body)
  }

  private mutating func parseMacro(_ name: String, end: String) throws(TemplateError) -> TemplateMacro {
    var parameters: [(name: String, value: TemplateExpression?)] = []
    if end == "endmacro" || isSymbol("(") {
      try expect(symbol: "(")
      while !isSymbol(")") {
        let name = try expectName()
        parameters.append((name, accept(symbol: "=") ? try parseExpression() : nil))
        if !accept(symbol: ",") { break }
      }
      try expect(symbol: ")")
    }
    if end == "endcall" { return TemplateMacro(name: name, parameters: parameters, body: []) }
    try expectBlockEnd()
    let outer = (loopDepth, namesVarargs, namesKwargs)
    (loopDepth, namesVarargs, namesKwargs) = (0, false, false)
    let (body, _) = try parseBody(until: [end])
    let names = (namesVarargs, namesKwargs)
    (loopDepth, namesVarargs, namesKwargs) = outer
    // The name may be repeated: {% endmacro name %}.
    _ = accept(name: name)
    try expectBlockEnd()
    return TemplateMacro(
      name: name, parameters: parameters, body: body, takesMorePositional: names.0, takesMoreNamed: names.1)
  }

  private mutating func parseCallBlock() throws(TemplateError) -> TemplateStatement {
    let signature = try parseMacro("caller", end: "endcall")
    let call = try parseExpression()
    guard case .call = call.node else { throw .syntax("expected a call\(found)", line: call.line) }
    try expectBlockEnd()
    let outer = loopDepth
    loopDepth = 0
    let (body, _) = try parseBody(until: ["endcall"])
    loopDepth = outer
    try expectBlockEnd()
    return .callBlock(call, TemplateMacro(name: "caller", parameters: signature.parameters, body: body))
  }

  private mutating func parseWith() throws(TemplateError) -> TemplateStatement {
    var values: [(name: String, value: TemplateExpression)] = []
    while token.kind != .blockEnd {
      let name = try expectName()
      try expect(symbol: "=")
      values.append((name, try parseExpression()))
      if !accept(symbol: ",") { break }
    }
    try expectBlockEnd()
    let (body, _) = try parseBody(until: ["endwith"])
    try expectBlockEnd()
    return .with(values, body: body)
  }

  private mutating func parseFilterChain() throws(TemplateError) -> [TemplateCall] {
    var filters: [TemplateCall] = []
    repeat {
      filters.append(try parseFilter())
      if filters.count > Self.chainMax { throw .limit("filters in a row", max: Self.chainMax) }
    } while accept(symbol: "|")
    return filters
  }
}
