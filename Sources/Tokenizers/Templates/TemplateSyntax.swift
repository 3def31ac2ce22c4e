/// What a template does.
indirect enum TemplateStatement: Sendable {
  case text([UInt8])
  case output(TemplateExpression)
  case conditional([(condition: TemplateExpression, body: [TemplateStatement])], otherwise: [TemplateStatement])
  case loop(TemplateLoop)
  case set(TemplateTarget, TemplateExpression)
  case setBlock(TemplateTarget, filters: [TemplateCall], body: [TemplateStatement])
  case macro(TemplateMacro)
  case callBlock(TemplateExpression, TemplateMacro)
  case filterBlock([TemplateCall], body: [TemplateStatement])
  case with([(name: String, value: TemplateExpression)], body: [TemplateStatement])
  /// `{% generation %}` marks what the model wrote; it prints its body.
  case group([TemplateStatement])
  case breakLoop
  case continueLoop
}

struct TemplateLoop: Sendable {
  let target: TemplateTarget
  let items: TemplateExpression
  let condition: TemplateExpression?
  let isRecursive: Bool
  let body: [TemplateStatement]
  let otherwise: [TemplateStatement]
}

struct TemplateMacro: Sendable {
  let name: String
  let parameters: [(name: String, value: TemplateExpression?)]
  let body: [TemplateStatement]
  /// Whether the body names `varargs` or `kwargs`, and so takes arguments without a parameter.
  var takesMorePositional = false
  var takesMoreNamed = false
}

/// What is assigned to.
indirect enum TemplateTarget: Sendable {
  case name(String)
  case attribute(String, String)
  case tuple([TemplateTarget])
}

struct TemplateExpression: Sendable {
  let node: TemplateNode
  let line: Int
}

/// A filter, test or call: a name and what it is given.
struct TemplateCall: Sendable {
  let name: String
  let arguments: TemplateArguments
  let line: Int
}

struct TemplateArguments: Sendable {
  var positional: [TemplateExpression] = []
  var named: [(name: String, value: TemplateExpression)] = []
}

indirect enum TemplateNode: Sendable {
  case name(String)
  case none
  case bool(Bool)
  case integer(Int)
  case decimal(String)
  case string([UInt8])
  case list([TemplateExpression], isTuple: Bool)
  case dictionary([(key: TemplateExpression, value: TemplateExpression)])
  case attribute(TemplateExpression, String)
  case item(TemplateExpression, TemplateExpression)
  case slice(TemplateExpression, start: TemplateExpression?, stop: TemplateExpression?, step: TemplateExpression?)
  case call(TemplateExpression, TemplateArguments)
  case filter(TemplateExpression, TemplateCall)
  case test(TemplateExpression, TemplateCall, negated: Bool)
  case not(TemplateExpression)
  case negative(TemplateExpression)
  case positive(TemplateExpression)
  /// Operators of one precedence, applied from the left.
  case arithmetic(TemplateExpression, [(symbol: String, right: TemplateExpression)])
  case concatenation([TemplateExpression])
  case comparison(TemplateExpression, [(symbol: String, right: TemplateExpression)])
  case and([TemplateExpression])
  case or([TemplateExpression])
  case conditional(TemplateExpression, condition: TemplateExpression, otherwise: TemplateExpression?)
}
