/// A set of Unicode scalars, as a regular expression writes it.
indirect enum ScalarSet: Sendable {
  case range(UInt32, UInt32)
  /// General categories, one bit each (``CategoryMask``).
  case categories(UInt32)
  case property(Property)
  case union([ScalarSet])
  case intersection([ScalarSet])
  case complement(ScalarSet)

  static let any = ScalarSet.range(0, 0x10_FFFF)

  func contains(_ scalar: UInt32, _ properties: UInt32) -> Bool {
    switch self {
    case .range(let low, let high): scalar >= low && scalar <= high
    case .categories(let mask): mask >> (properties & 31) & 1 != 0
    case .property(let p): properties & p.rawValue != 0
    case .union(let sets): sets.contains { $0.contains(scalar, properties) }
    case .intersection(let sets): sets.allSatisfy { $0.contains(scalar, properties) }
    case .complement(let set): !set.contains(scalar, properties)
    }
  }
}

/// A ``ScalarSet`` laid out for speed: a bitmap for ASCII, flat tests for the usual shapes.
struct CompiledSet: Sendable {
  private var ascii: (UInt64, UInt64) = (0, 0)
  private var categories: UInt32 = 0
  private var flags: UInt32 = 0
  /// Sorted and apart.
  private var ranges: [(UInt32, UInt32)] = []
  private var isComplement = false
  /// Only when the flat tests cannot express the set.
  private var general: ScalarSet?

  init(_ set: ScalarSet) {
    let properties = UnicodeTables.properties
    for c in UInt32(0)..<128 where set.contains(c, properties[Int(c)]) {
      if c < 64 { ascii.0 |= 1 << UInt64(c) } else { ascii.1 |= 1 << UInt64(c - 64) }
    }
    var inner = set
    if case .complement(let s) = set {
      isComplement = true
      inner = s
    }
    if !flatten(inner) { general = set }
    ranges.sort { $0.0 < $1.0 }
    var apart: [(UInt32, UInt32)] = []
    for (low, high) in ranges {
      if let last = apart.last, low <= last.1 {
        apart[apart.count - 1].1 = max(last.1, high)
      } else {
        apart.append((low, high))
      }
    }
    ranges = apart
  }

  private mutating func flatten(_ set: ScalarSet) -> Bool {
    switch set {
    case .range(let low, let high):
      if high >= 0x80 { ranges.append((low, high)) }
      return true
    case .categories(let mask):
      categories |= mask
      return true
    case .property(let p):
      flags |= p.rawValue
      return true
    case .union(let sets):
      for s in sets where !flatten(s) { return false }
      return true
    case .intersection, .complement: return false
    }
  }

  @inline(__always)
  func contains(_ scalar: UInt32, _ table: PropertyTable) -> Bool {
    if scalar < 64 { return ascii.0 >> UInt64(scalar) & 1 != 0 }
    if scalar < 128 { return ascii.1 >> UInt64(scalar - 64) & 1 != 0 }
    return containsBeyondASCII(scalar, table[Int(scalar)])
  }

  private func containsBeyondASCII(_ scalar: UInt32, _ properties: UInt32) -> Bool {
    if let general { return general.contains(scalar, properties) }
    if categories >> (properties & 31) & 1 != 0 || properties & flags != 0 { return !isComplement }
    var low = 0
    var high = ranges.count
    while low < high {
      let middle = (low + high) >> 1
      if scalar > ranges[middle].1 { low = middle + 1 } else { high = middle }
    }
    return (low < ranges.count && scalar >= ranges[low].0) != isComplement
  }
}
