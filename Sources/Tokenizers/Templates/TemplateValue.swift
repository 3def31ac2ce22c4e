import Digests

/// A value while a template runs.
enum TemplateValue {
  /// What a missing name or member is: empty when printed, an error when used for more than that.
  case undefined(String)
  case none
  case bool(Bool)
  case integer(Int)
  /// A number that is not an integer, as the text that Python would print.
  case decimal(String)
  /// UTF-8. Compared as bytes.
  case string([UInt8])
  case list(TemplateList)
  case dictionary(TemplateDictionary)
  case namespace(TemplateNamespace)
  case function(TemplateFunction)
  case loop(TemplateLoopState)

  static func text(_ s: String) -> TemplateValue { .string(Array(s.utf8)) }

  var isUndefined: Bool { if case .undefined = self { true } else { false } }

  /// Levels of lists and dictionaries.
  var nesting: Int {
    switch self {
    case .list(let l): l.nesting
    case .dictionary(let d): d.nesting
    case .function(let f): f.nesting
    case .loop(let l): l.nesting
    default: 0
    }
  }

  /// What printing or comparing the value costs at most, in bytes or so. Shared parts count each time.
  var weight: Int {
    switch self {
    case .list(let l): l.weight
    case .dictionary(let d): d.weight
    case .string(let s): s.count + 8
    default: 8
    }
  }

  var isTrue: Bool {
    switch self {
    case .undefined, .none: false
    case .bool(let b): b
    case .integer(let i): i != 0
    case .decimal(let text): text.utf8.contains { $0 >= 0x31 && $0 <= 0x39 }
    case .string(let s): !s.isEmpty
    case .list(let l): !l.items.isEmpty
    case .dictionary(let d): !d.keys.isEmpty
    case .namespace, .function, .loop: true
    }
  }

  /// Python's name for the type.
  var typeName: String {
    switch self {
    case .undefined: "Undefined"
    case .none: "NoneType"
    case .bool: "bool"
    case .integer: "int"
    case .decimal: "float"
    case .string: "str"
    case .list(let l): l.isTuple ? "tuple" : "list"
    case .dictionary: "dict"
    case .namespace: "Namespace"
    case .function: "function"
    case .loop: "LoopContext"
    }
  }

  /// Whether Python would take it as a key.
  var isHashable: Bool {
    switch self {
    case .dictionary: false
    case .list(let l): l.isTuple && l.items.allSatisfy(\.isHashable)
    default: true
    }
  }

  /// The integer, counting truth as 1, as Python does.
  var asInteger: Int? {
    switch self {
    case .integer(let i): i
    case .bool(let b): b ? 1 : 0
    default: nil
    }
  }
}

/// Immutable, like every list that a template can reach.
final class TemplateList {
  let items: [TemplateValue]
  let isTuple: Bool
  let nesting: Int
  let weight: Int

  init(_ items: [TemplateValue], isTuple: Bool = false) {
    self.items = items
    self.isTuple = isTuple
    weight = items.reduce(8) { TemplateValue.saturatingSum($0, $1.weight) }
    nesting = 1 + (items.lazy.map(\.nesting).max() ?? 0)
  }
}

/// An immutable dictionary with string keys, in order of insertion.
final class TemplateDictionary {
  let keys: [[UInt8]]
  let values: [TemplateValue]
  let nesting: Int
  let weight: Int
  private let index: [[UInt8]: Int]

  /// A key that comes twice keeps its first place and its last value.
  init(_ members: [(key: [UInt8], value: TemplateValue)]) {
    var keys: [[UInt8]] = []
    var values: [TemplateValue] = []
    var index: [[UInt8]: Int] = [:]
    for (key, value) in members {
      if let i = index[key] {
        values[i] = value
      } else {
        index[key] = keys.count
        keys.append(key)
        values.append(value)
      }
    }
    self.keys = keys
    self.values = values
    self.index = index
    let keyWeight = keys.reduce(8) { TemplateValue.saturatingSum($0, $1.count + 8) }
    weight = values.reduce(keyWeight) { TemplateValue.saturatingSum($0, $1.weight) }
    nesting = 1 + (values.lazy.map(\.nesting).max() ?? 0)
  }

  subscript(_ key: [UInt8]) -> TemplateValue? { index[key].map { values[$0] } }
}

/// What `namespace()` makes: the one thing that a template can change from within a loop.
final class TemplateNamespace {
  var members: [String: TemplateValue] = [:]
}

final class TemplateFunction {
  enum Kind {
    case macro(TemplateMacro, TemplateScope)
    case global(String)
    case method(TemplateValue, String)
  }
  let kind: Kind
  let nesting: Int

  init(_ kind: Kind) {
    self.kind = kind
    nesting = if case .method(let value, _) = kind { value.nesting + 1 } else { 0 }
  }
}

/// The variable `loop`.
final class TemplateLoopState {
  let items: [TemplateValue]
  let nesting: Int
  var index = 0
  /// What `loop.changed` was last called with.
  var lastChanged: [TemplateValue]?

  init(items: [TemplateValue]) {
    self.items = items
    nesting = 1 + (items.lazy.map(\.nesting).max() ?? 0)
  }
}

/// Variables, and the scope around them.
final class TemplateScope {
  var variables: [String: TemplateValue] = [:]
  let parent: TemplateScope?

  init(parent: TemplateScope?) { self.parent = parent }

  subscript(_ name: String) -> TemplateValue? {
    var scope: TemplateScope? = self
    while let s = scope {
      if let value = s.variables[name] { return value }
      scope = s.parent
    }
    return nil
  }
}

extension TemplateValue {
  static let nestingMax = 96

  static func saturatingSum(_ a: Int, _ b: Int) -> Int {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? Int.max : sum
  }

  /// Converts a JSON value; nil when it is nested too deeply.
  init?(_ json: JSON, depth: Int = 0) {
    guard depth < Self.nestingMax else { return nil }
    switch json {
    case .null: self = .none
    case .bool(let b): self = .bool(b)
    case .string(let s): self = .string(Array(s.utf8))
    case .number(let n):
      if let i = n.integer, !n.text.utf8.contains(where: { $0 == 0x2E || $0 | 0x20 == 0x65 }) {
        self = .integer(i)
      } else {
        self = .decimal(DecimalText.pythonRepresentation(n.text))
      }
    case .array(let a):
      var items: [TemplateValue] = []
      items.reserveCapacity(a.count)
      for item in a {
        guard let value = TemplateValue(item, depth: depth + 1) else { return nil }
        items.append(value)
      }
      self = .list(TemplateList(items))
    case .object(let o):
      var members: [(key: [UInt8], value: TemplateValue)] = []
      members.reserveCapacity(o.count)
      for (key, item) in o.members {
        guard let value = TemplateValue(item, depth: depth + 1) else { return nil }
        members.append((Array(key.utf8), value))
      }
      self = .dictionary(TemplateDictionary(members))
    }
  }
}
