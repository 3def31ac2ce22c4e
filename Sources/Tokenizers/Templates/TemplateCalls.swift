/// Arguments, evaluated.
struct TemplateCallArguments {
  var positional: [TemplateValue] = []
  /// In the order of the call.
  var named: [(name: String, value: TemplateValue)] = []

  /// The argument at a position or with a name; nil when it is not given.
  func value(_ index: Int, _ name: String) -> TemplateValue? {
    index < positional.count ? positional[index] : named.last { $0.name == name }?.value
  }

  /// With strings that are not marked as escaped.
  var plain: TemplateCallArguments {
    TemplateCallArguments(positional: positional.map(\.plain), named: named.map { ($0.name, $0.value.plain) })
  }
}

/// Calls of macros, global functions and methods.
extension TemplateInterpreter {
  mutating func evaluate(
    _ arguments: TemplateArguments, _ scope: TemplateScope
  ) throws(TemplateError) -> TemplateCallArguments {
    var out = TemplateCallArguments()
    for e in arguments.positional { out.positional.append(try evaluate(e, scope)) }
    for (name, e) in arguments.named { out.named.append((name, try evaluate(e, scope))) }
    return out
  }

  mutating func call(
    _ callee: TemplateExpression, _ arguments: TemplateArguments, _ scope: TemplateScope, _ line: Int,
    caller: TemplateValue?
  ) throws(TemplateError) -> TemplateValue {
    let function = try evaluate(callee, scope)
    let arguments = try evaluate(arguments, scope)
    switch function {
    case .function(let f):
      switch f.kind {
      case .macro(let macro, let closure): return try call(macro, closure, arguments, line, caller: caller)
      case .global(let name): return try callGlobal(name, arguments.plain, line)
      case .method(let value, let name): return try callMethod(name, of: value, arguments, line)
      }
    case .undefined(let what): throw .failed("\(what) is undefined, and called", line: line)
    case .loop(let state):
      guard let (loop, scope) = state.recursion else { throw .failed("the loop is not recursive", line: line) }
      guard let value = arguments.positional.first, arguments.positional.count == 1, arguments.named.isEmpty else {
        throw .failed("loop() takes what to loop over", line: line)
      }
      var text: [UInt8] = []
      try enter()
      defer { leave() }
      try run(loop, over: try items(of: value, line), scope, depth: state.depth + 1, &text)
      return try made(.string(text))
    default: throw .failed("a value of type \(function.typeName) cannot be called", line: line)
    }
  }

  private mutating func call(
    _ macro: TemplateMacro, _ closure: TemplateScope, _ arguments: TemplateCallArguments, _ line: Int,
    caller: TemplateValue?
  ) throws(TemplateError) -> TemplateValue {
    guard macro.takesMorePositional || arguments.positional.count <= macro.parameters.count else {
      throw .failed("the macro \"\(macro.name)\" takes \(macro.parameters.count) arguments", line: line)
    }
    let scope = TemplateScope(parent: closure)
    if let caller { scope.variables["caller"] = caller }
    for (i, parameter) in macro.parameters.enumerated() {
      if i < arguments.positional.count {
        scope.variables[parameter.name] = arguments.positional[i]
      } else if let value = arguments.named.last(where: { $0.name == parameter.name })?.value {
        scope.variables[parameter.name] = value
      } else if let value = parameter.value {
        scope.variables[parameter.name] = try evaluate(value, scope)
      } else {
        scope.variables[parameter.name] = .undefined("the parameter \"\(parameter.name)\"")
      }
    }
    if macro.takesMorePositional {
      scope.variables["varargs"] = try makeList(
        Array(arguments.positional.dropFirst(macro.parameters.count)), kind: .tuple)
    }
    let more = arguments.named.filter { argument in !macro.parameters.contains { $0.name == argument.name } }
    if macro.takesMoreNamed {
      scope.variables["kwargs"] = try made(
        .dictionary(TemplateDictionary(more.map { (.text($0.name), $0.value) })))
    } else if let first = more.first {
      throw .failed("the macro \"\(macro.name)\" has no parameter \"\(first.name)\"", line: line)
    }
    var text: [UInt8] = []
    _ = try execute(macro.body, scope, &text)
    return try made(.string(text))
  }

  private mutating func callGlobal(
    _ name: String, _ arguments: TemplateCallArguments, _ line: Int
  ) throws(TemplateError) -> TemplateValue {
    switch name {
    case "raise_exception":
      throw .raised(String(decoding: (arguments.value(0, "message") ?? .none).asText, as: UTF8.self))
    case "strftime_now":
      guard case .string(let format)? = arguments.value(0, "format") else {
        throw .failed("strftime_now takes a format", line: line)
      }
      guard let now else { throw .failed("the template asks for the time, and none was given", line: line) }
      guard let text = now.formatted(format) else {
        throw .unsupported("the time format \"\(String(decoding: format, as: UTF8.self))\"", line: line)
      }
      return try made(.string(text))
    case "namespace", "dict":
      guard arguments.positional.count <= 1 else { throw .failed("\(name)() takes one dictionary", line: line) }
      var members: [(key: TemplateValue, value: TemplateValue)] = []
      if let first = arguments.positional.first {
        guard case .dictionary(let d) = first else { throw .unsupported("\(name)() of pairs", line: line) }
        members = Array(zip(d.keys, d.values)).map { ($0.0, $0.1) }
      }
      for (key, value) in arguments.named { members.append((.text(key), value)) }
      if name == "dict" { return try made(.dictionary(TemplateDictionary(members))) }
      let namespace = TemplateNamespace()
      own(namespace)
      for (key, value) in members {
        guard let name = key.text else { throw .failed("a member's name of type \(key.typeName)", line: line) }
        namespace.set(String(decoding: name, as: UTF8.self), value)
      }
      return .namespace(namespace)
    case "range": return try range(arguments, line)
    default: throw .unsupported("the function \"\(name)\"", line: line)
    }
  }

  private mutating func range(_ arguments: TemplateCallArguments, _ line: Int) throws(TemplateError) -> TemplateValue {
    let bounds = arguments.positional.compactMap(\.asInteger)
    guard bounds.count == arguments.positional.count, (1...3).contains(bounds.count) else {
      throw .failed("range() takes one to three integers", line: line)
    }
    let start = bounds.count > 1 ? bounds[0] : 0
    let end = bounds.count > 1 ? bounds[1] : bounds[0]
    let step = bounds.count > 2 ? bounds[2] : 1
    guard step != 0 else { throw .failed("range() with step 0", line: line) }
    var items: [TemplateValue] = []
    var i = start
    while step > 0 ? i < end : i > end {
      // Jinja's sandbox has the same bound.
      guard items.count < 100_000 else { throw .limit("items of a range", max: 100_000) }
      items.append(.integer(i))
      let (next, overflow) = i.addingReportingOverflow(step)
      if overflow { break }
      i = next
    }
    return try makeList(items, kind: .range)
  }
}
