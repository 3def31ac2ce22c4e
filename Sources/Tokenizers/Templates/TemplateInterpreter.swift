/// Runs a template's statements. Expressions, filters, tests and methods are in files of their own.
struct TemplateInterpreter {
  /// Nested blocks, expressions and macro calls together: bounds the machine's stack.
  static let depthMax = 200

  enum Flow { case next, breakLoop, continueLoop }

  let globals: TemplateScope
  let now: TemplateTime?
  private let limits: ChatTemplate.Limits
  private var stepsLeft: Int
  private var workLeft: Int
  private var depth = 0
  /// What can take part in a cycle of references, to be taken apart at the end.
  private var ownedScopes: [TemplateScope] = []
  private var ownedNamespaces: [TemplateNamespace] = []

  init(globals: TemplateScope, now: TemplateTime?, limits: ChatTemplate.Limits) {
    self.globals = globals
    self.now = now
    self.limits = limits
    stepsLeft = limits.stepsMax
    workLeft = limits.workBytesMax
  }

  mutating func run(_ body: [TemplateStatement]) throws(TemplateError) -> [UInt8] {
    defer {
      for scope in ownedScopes { scope.variables.removeAll() }
      for namespace in ownedNamespaces { namespace.removeAll() }
    }
    var out: [UInt8] = []
    _ = try execute(body, TemplateScope(parent: globals), &out)
    return out
  }

  mutating func own(_ namespace: TemplateNamespace) { ownedNamespaces.append(namespace) }

  // MARK: Limits

  mutating func step() throws(TemplateError) {
    stepsLeft -= 1
    if stepsLeft < 0 { throw .limit("steps", max: limits.stepsMax) }
  }

  /// Pays for work proportional to `bytes`.
  mutating func charge(_ bytes: Int) throws(TemplateError) {
    let (left, overflow) = workLeft.subtractingReportingOverflow(bytes)
    workLeft = left
    if overflow || left < 0 { throw .limit("bytes of values", max: limits.workBytesMax) }
  }

  mutating func enter() throws(TemplateError) {
    depth += 1
    if depth > Self.depthMax { throw .limit("levels of nesting", max: Self.depthMax) }
  }

  mutating func leave() { depth -= 1 }

  /// Pays for a new value, and refuses one that is nested too deeply to be printed or freed safely.
  mutating func made(_ value: TemplateValue) throws(TemplateError) -> TemplateValue {
    try charge(value.weight)
    if value.nesting > TemplateValue.nestingMax { throw .limit("levels of a value", max: TemplateValue.nestingMax) }
    return value
  }

  mutating func makeList(
    _ items: [TemplateValue], kind: TemplateList.Kind = .list
  ) throws(TemplateError) -> TemplateValue {
    try made(.list(TemplateList(items, kind: kind)))
  }

  // MARK: Statements

  mutating func execute(
    _ body: [TemplateStatement], _ scope: TemplateScope, _ out: inout [UInt8]
  ) throws(TemplateError) -> Flow {
    try enter()
    defer { leave() }
    for statement in body {
      try step()
      let flow = try execute(statement, scope, &out)
      if out.count > limits.outputBytesMax { throw .limit("bytes of output", max: limits.outputBytesMax) }
      if flow != .next { return flow }
    }
    return .next
  }

  private mutating func execute(
    _ statement: TemplateStatement, _ scope: TemplateScope, _ out: inout [UInt8]
  ) throws(TemplateError) -> Flow {
    switch statement {
    case .text(let text): out.append(contentsOf: text)
    case .output(let expression): try print(expression, scope, &out)
    case .conditional(let branches, let otherwise):
      for (condition, body) in branches where try evaluate(condition, scope).isTrue {
        return try execute(body, scope, &out)
      }
      return try execute(otherwise, scope, &out)
    case .loop(let loop): try run(loop, scope, &out)
    case .set(let target, let expression):
      try assign(try evaluate(expression, scope), to: target, scope, expression.line)
    case .setBlock(let target, let filters, let body):
      let text = try capture(body, filters, scope)
      try assign(text, to: target, scope, filters.first?.line ?? 0)
    case .macro(let macro):
      ownedScopes.append(scope)
      scope.variables[macro.name] = .function(TemplateFunction(.macro(macro, scope)))
    case .callBlock(let call, let caller):
      try print(call, scope, &out, caller: .function(TemplateFunction(.macro(caller, scope))))
    case .filterBlock(let filters, let body): try capture(body, filters, scope).appendText(to: &out)
    case .with(let values, let body): return try execute(with: values, body, scope, &out)
    case .group(let body): return try execute(body, TemplateScope(parent: scope), &out)
    case .breakLoop: return .breakLoop
    case .continueLoop: return .continueLoop
    }
    return .next
  }

  private mutating func print(
    _ expression: TemplateExpression, _ scope: TemplateScope, _ out: inout [UInt8], caller: TemplateValue? = nil
  ) throws(TemplateError) {
    let value: TemplateValue
    if let caller, case .call(let callee, let arguments) = expression.node {
      value = try call(callee, arguments, scope, expression.line, caller: caller)
    } else {
      value = try evaluate(expression, scope)
    }
    try charge(value.weight)
    value.appendText(to: &out)
  }

  private mutating func execute(
    with values: [(name: String, value: TemplateExpression)], _ body: [TemplateStatement], _ scope: TemplateScope,
    _ out: inout [UInt8]
  ) throws(TemplateError) -> Flow {
    let inner = TemplateScope(parent: scope)
    for (name, value) in values { inner.variables[name] = try evaluate(value, scope) }
    return try execute(body, inner, &out)
  }

  private mutating func capture(
    _ body: [TemplateStatement], _ filters: [TemplateCall], _ scope: TemplateScope
  ) throws(TemplateError) -> TemplateValue {
    var text: [UInt8] = []
    _ = try execute(body, TemplateScope(parent: scope), &text)
    var value = try made(.string(text))
    for filter in filters { value = try apply(filter, to: value, scope) }
    return value
  }

  func assign(
    _ value: TemplateValue, to target: TemplateTarget, _ scope: TemplateScope, _ line: Int
  ) throws(TemplateError) {
    switch target {
    case .name(let name): scope.variables[name] = value
    case .attribute(let name, let member):
      guard case .namespace(let namespace)? = scope[name] else {
        throw .failed("cannot assign to a member of something other than a namespace", line: line)
      }
      namespace.set(member, value)
    case .tuple(let targets):
      let values: [TemplateValue]
      switch value {
      case .list(let l): values = l.takeItems()
      case .dictionary(let d): values = d.keys
      case .string(let s), .markup(let s): values = PythonText.ranges(s).map { .string(Array(s[$0])) }
      default: throw .failed("cannot unpack a value of type \(value.typeName)", line: line)
      }
      guard values.count == targets.count else {
        throw .failed("cannot unpack \(values.count) values into \(targets.count)", line: line)
      }
      for (target, value) in zip(targets, values) { try assign(value, to: target, scope, line) }
    }
  }

  private mutating func run(
    _ loop: TemplateLoop, _ scope: TemplateScope, _ out: inout [UInt8]
  ) throws(TemplateError) {
    try run(loop, over: try items(of: try evaluate(loop.items, scope), loop.items.line), scope, depth: 1, &out)
  }

  /// - Parameter depth: 1, or more inside a recursive loop.
  mutating func run(
    _ loop: TemplateLoop, over all: [TemplateValue], _ scope: TemplateScope, depth: Int, _ out: inout [UInt8]
  ) throws(TemplateError) {
    let line = loop.items.line
    var items = all
    if let condition = loop.condition {
      var kept: [TemplateValue] = []
      for item in items {
        try step()
        let inner = TemplateScope(parent: scope)
        try assign(item, to: loop.target, inner, line)
        if try evaluate(condition, inner).isTrue { kept.append(item) }
      }
      items = kept
    }
    guard !items.isEmpty else {
      _ = try execute(loop.otherwise, TemplateScope(parent: scope), &out)
      return
    }
    let state = TemplateLoopState(items: items, depth: depth, recursion: loop.isRecursive ? (loop, scope) : nil)
    for (i, item) in items.enumerated() {
      try step()
      state.index = i
      let inner = TemplateScope(parent: scope)
      inner.variables["loop"] = .loop(state)
      try assign(item, to: loop.target, inner, line)
      if try execute(loop.body, inner, &out) == .breakLoop { break }
    }
  }

  /// What a loop over `value` visits.
  mutating func items(of value: TemplateValue, _ line: Int) throws(TemplateError) -> [TemplateValue] {
    switch value {
    case .list(let l): return l.takeItems()
    case .dictionary(let d): return d.keys
    case .string(let s), .markup(let s):
      try charge(40 * s.count)
      return PythonText.ranges(s).map { .string(Array(s[$0])) }
    case .undefined: return []
    default: throw .failed("a value of type \(value.typeName) cannot be iterated over", line: line)
    }
  }
}
