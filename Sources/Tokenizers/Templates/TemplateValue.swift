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
  /// A string that counts as escaped already: what the filters `safe` and `escape` make.
  case markup([UInt8])
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
    case .string(let s), .markup(let s): s.count + 8
    default: 8
    }
  }

  var isTrue: Bool {
    switch self {
    case .undefined, .none: false
    case .bool(let b): b
    case .integer(let i): i != 0
    case .decimal(let text): text.utf8.contains { $0 >= 0x31 && $0 <= 0x39 }
    case .string(let s), .markup(let s): !s.isEmpty
    case .list(let l): l.kind == .generator || !l.items.isEmpty
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
    case .markup: "Markup"
    case .list(let l): l.typeName
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
    case .list(let l): l.kind == .generator || l.kind == .range || (l.isTuple && l.items.allSatisfy(\.isHashable))
    default: true
    }
  }

  /// The bytes of a string of either kind.
  var text: [UInt8]? {
    switch self {
    case .string(let s), .markup(let s): s
    default: nil
    }
  }

  /// A string that is not marked as escaped, where the mark means nothing.
  var plain: TemplateValue { if case .markup(let s) = self { .string(s) } else { self } }

  /// The integer, counting truth as 1, as Python does.
  var asInteger: Int? {
    switch self {
    case .integer(let i): i
    case .bool(let b): b ? 1 : 0
    default: nil
    }
  }
}

/// A sequence. Its items never change.
final class TemplateList {
  /// Python's kinds of sequences differ in what can be done with them.
  enum Kind {
    case list, tuple, range
    /// What `map`, `select` and their like make: can be gone through once, and has no length.
    case generator
    /// What the methods of a dictionary make.
    case items, keys, values
  }

  let items: [TemplateValue]
  let kind: Kind
  let nesting: Int
  let weight: Int
  /// How many items of a generator have been taken.
  var taken = 0

  init(_ items: [TemplateValue], kind: Kind = .list) {
    self.items = items
    self.kind = kind
    weight = items.reduce(8) { TemplateValue.saturatingSum($0, $1.weight) }
    nesting = 1 + (items.lazy.map(\.nesting).max() ?? 0)
  }

  var isTuple: Bool { kind == .tuple }

  /// Whether items can be asked for by their position.
  var isIndexed: Bool { kind == .list || kind == .tuple || kind == .range }

  /// The items that are still to come.
  func takeItems() -> [TemplateValue] {
    guard kind == .generator else { return items }
    defer { taken = items.count }
    return Array(items[taken...])
  }

  var typeName: String {
    switch kind {
    case .list: "list"
    case .tuple: "tuple"
    case .range: "range"
    case .generator: "generator"
    case .items: "dict_items"
    case .keys: "dict_keys"
    case .values: "dict_values"
    }
  }
}

/// What `namespace()` makes: the one thing that a template can change from within a loop.
final class TemplateNamespace {
  private(set) var members: [String: TemplateValue] = [:]
  /// In order of insertion.
  private(set) var names: [String] = []

  func set(_ name: String, _ value: TemplateValue) {
    if members.updateValue(value, forKey: name) == nil { names.append(name) }
  }

  func removeAll() { members.removeAll() }
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
  /// How many loops of the same statement this one is inside of.
  let depth: Int
  /// What `loop(…)` runs: nil unless the loop is recursive.
  let recursion: (loop: TemplateLoop, scope: TemplateScope)?
  var index = 0
  /// What `loop.changed` was last called with.
  var lastChanged: [TemplateValue]?

  init(items: [TemplateValue], depth: Int, recursion: (loop: TemplateLoop, scope: TemplateScope)?) {
    self.items = items
    self.depth = depth
    self.recursion = recursion
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
      self = .dictionary(TemplateDictionary(members.map { (.string($0.key), $0.value) }))
    }
  }
}
