/// Equality and order as Python has them.
extension TemplateValue {
  func equals(_ other: TemplateValue) -> Bool {
    switch (plain, other.plain) {
    case (.undefined, .undefined), (.none, .none): return true
    case (.string(let a), .string(let b)): return a == b
    case (.list(let a), .list(let b)):
      if a === b { return true }
      // Other kinds are equal only to themselves, or are nothing that a template compares.
      guard a.kind == b.kind, a.isIndexed else { return false }
      return a.items.count == b.items.count
        && zip(a.items, b.items).allSatisfy { $0.equals($1) }
    case (.dictionary(let a), .dictionary(let b)):
      return a.keys.count == b.keys.count
        && zip(a.keys, a.values).allSatisfy { key, value in
          TemplateKey(key).flatMap { b[$0] }.map { value.equals($0) } ?? false
        }
    case (.namespace(let a), .namespace(let b)): return a === b
    case (.loop(let a), .loop(let b)): return a === b
    case (.function(let a), .function(let b)): return a === b
    default:
      if let a = asInteger, let b = other.asInteger { return a == b }
      if let a = numberText, let b = other.numberText { return DecimalText.compare(a, b) == 0 }
      return false
    }
  }

  private var numberText: String? {
    if let i = asInteger { return String(i) }
    if case .decimal(let text) = self { return text }
    return nil
  }

  /// −1, 0 or 1; nil for values that Python does not order.
  func compared(to other: TemplateValue) -> Int? {
    if let a = asInteger, let b = other.asInteger { return a < b ? -1 : a == b ? 0 : 1 }
    if let a = numberText, let b = other.numberText { return DecimalText.compare(a, b) }
    switch (plain, other.plain) {
    case (.string(let a), .string(let b)):
      // UTF-8 orders as code points do.
      return a == b ? 0 : a.lexicographicallyPrecedes(b) ? -1 : 1
    case (.list(let a), .list(let b)) where a.kind == b.kind && (a.isTuple || a.kind == .list):
      for (x, y) in zip(a.items, b.items) {
        if x.equals(y) { continue }
        return x.compared(to: y)
      }
      return a.items.count < b.items.count ? -1 : a.items.count == b.items.count ? 0 : 1
    default: return nil
    }
  }
}
