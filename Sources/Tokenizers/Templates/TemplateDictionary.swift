/// An immutable dictionary, in order of insertion.
final class TemplateDictionary {
  let keys: [TemplateValue]
  let values: [TemplateValue]
  let nesting: Int
  let weight: Int
  private let index: [TemplateKey: Int]

  /// A key that comes twice keeps its first place and its last value. Every key must have a ``TemplateKey``.
  init(_ members: [(key: TemplateValue, value: TemplateValue)]) {
    var keys: [TemplateValue] = []
    var values: [TemplateValue] = []
    var index: [TemplateKey: Int] = [:]
    for (key, value) in members {
      guard let k = TemplateKey(key) else { continue }
      if let i = index[k] {
        values[i] = value
      } else {
        index[k] = keys.count
        keys.append(key)
        values.append(value)
      }
    }
    self.keys = keys
    self.values = values
    self.index = index
    let keyWeight = keys.reduce(8) { TemplateValue.saturatingSum($0, $1.weight) }
    weight = values.reduce(keyWeight) { TemplateValue.saturatingSum($0, $1.weight) }
    nesting = 1 + max(values.lazy.map(\.nesting).max() ?? 0, keys.lazy.map(\.nesting).max() ?? 0)
  }

  subscript(_ key: [UInt8]) -> TemplateValue? { index[.string(key)].map { values[$0] } }

  subscript(_ key: TemplateKey) -> TemplateValue? { index[key].map { values[$0] } }
}

/// A dictionary key. Numbers and truth values that Python calls equal are one key.
enum TemplateKey: Hashable {
  case string([UInt8])
  case integer(Int)
  case decimal(String)
  case none
  case tuple([TemplateKey])

  /// Nil for what Python does not hash, and for what no template has a use for as a key.
  init?(_ value: TemplateValue) {
    switch value {
    case .string(let s), .markup(let s): self = .string(s)
    case .integer(let i): self = .integer(i)
    case .bool(let b): self = .integer(b ? 1 : 0)
    case .none: self = .none
    case .decimal(let text):
      if text.utf8.suffix(2).elementsEqual(".0".utf8), let i = Int(text.dropLast(2)) {
        self = .integer(i)
      } else {
        self = .decimal(text)
      }
    case .list(let l) where l.isTuple:
      var keys: [TemplateKey] = []
      for item in l.items {
        guard let key = TemplateKey(item) else { return nil }
        keys.append(key)
      }
      self = .tuple(keys)
    default: return nil
    }
  }
}
