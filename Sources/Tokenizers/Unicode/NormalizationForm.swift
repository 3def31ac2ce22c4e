/// Unicode normalization (Unicode Standard Annex #15), from tables of our own.
enum NormalizationForm: Sendable {
  case nfc, nfd, nfkc, nfkd

  func apply(_ text: [UInt8]) -> [UInt8] {
    if UTF8Text.isASCII(text) { return text }
    let tables = NormalizationTables.shared
    let isCompatibility = self == .nfkc || self == .nfkd
    var scalars: [UInt32] = []
    scalars.reserveCapacity(text.count)
    for s in UTF8Text.scalars(text) { tables.decompose(s, isCompatibility, into: &scalars) }
    tables.order(&scalars)
    if self == .nfc || self == .nfkc { tables.compose(&scalars) }
    var out: [UInt8] = []
    out.reserveCapacity(text.count)
    for s in scalars { UTF8Text.append(s, to: &out) }
    return out
  }
}

struct NormalizationTables: Sendable {
  static let shared = NormalizationTables()

  /// Full canonical and full compatibility decompositions.
  private var canonical: [UInt32: [UInt32]] = [:]
  private var compatibility: [UInt32: [UInt32]] = [:]
  private var compositions: [UInt64: UInt32] = [:]
  private var classes: [UInt32: UInt8] = [:]

  private init() {
    var reader = VarintReader(UnicodeData.decompositions)
    var at = 0
    var direct: [(UInt32, [UInt32], isCompatibility: Bool)] = []
    while let distance = reader.next(), let flags = reader.next() {
      at += distance
      let to = reader.scalars(flags >> 2)
      direct.append((UInt32(at), to, flags & 1 != 0))
      if flags & 2 != 0, to.count == 2 { compositions[UInt64(to[0]) << 32 | UInt64(to[1])] = UInt32(at) }
    }
    for (from, to, isCompatibility) in direct {
      if !isCompatibility { canonical[from] = to }
      compatibility[from] = to
    }
    // Mappings of mapped scalars, until nothing changes: chains are short.
    Self.close(&canonical)
    Self.close(&compatibility)
    reader = VarintReader(UnicodeData.combiningClasses)
    at = 0
    while let gap = reader.next(), let length = reader.next(), let value = reader.next() {
      for i in (at + gap)..<(at + gap + length) { classes[UInt32(i)] = UInt8(value) }
      at += gap + length
    }
  }

  private static func close(_ map: inout [UInt32: [UInt32]]) {
    var changes = true
    while changes {
      changes = false
      for (from, to) in map where to.contains(where: { map[$0] != nil }) {
        map[from] = to.flatMap { map[$0] ?? [$0] }
        changes = true
      }
    }
  }

  // Hangul syllables are computed: The Unicode Standard, section 3.12.
  private static let syllableBase: UInt32 = 0xAC00
  private static let leadBase: UInt32 = 0x1100
  private static let vowelBase: UInt32 = 0x1161
  private static let trailBase: UInt32 = 0x11A7
  private static let trailCount: UInt32 = 28
  private static let vowelTrailCount: UInt32 = 588
  private static let syllableCount: UInt32 = 11172

  func decompose(_ s: UInt32, _ isCompatibility: Bool, into out: inout [UInt32]) {
    if s < 0xA0 {
      out.append(s)
    } else if s >= Self.syllableBase, s < Self.syllableBase + Self.syllableCount {
      let index = s - Self.syllableBase
      out.append(Self.leadBase + index / Self.vowelTrailCount)
      out.append(Self.vowelBase + index % Self.vowelTrailCount / Self.trailCount)
      if index % Self.trailCount != 0 { out.append(Self.trailBase + index % Self.trailCount) }
    } else if let to = (isCompatibility ? compatibility : canonical)[s] {
      out.append(contentsOf: to)
    } else {
      out.append(s)
    }
  }

  @inline(__always)
  private func combiningClass(_ s: UInt32) -> UInt8 { s < 0x300 ? 0 : classes[s] ?? 0 }

  /// Canonical ordering: marks between starters by class, stable.
  func order(_ scalars: inout [UInt32]) {
    var i = 0
    while i < scalars.count {
      guard combiningClass(scalars[i]) != 0 else {
        i += 1
        continue
      }
      var end = i
      var keys: [UInt64] = []
      while end < scalars.count {
        let c = combiningClass(scalars[end])
        if c == 0 { break }
        keys.append(UInt64(c) << 32 | UInt64(end - i))
        end += 1
      }
      if end - i > 1 {
        let marks = Array(scalars[i..<end])
        keys.sort()
        for (k, key) in keys.enumerated() { scalars[i + k] = marks[Int(key & 0xFFFF_FFFF)] }
      }
      i = end
    }
  }

  /// Canonical composition of ordered, decomposed text, in place.
  func compose(_ scalars: inout [UInt32]) {
    var starter: Int?
    var previousClass = 0
    var out = 0
    for i in scalars.indices {
      let s = scalars[i]
      let c = Int(combiningClass(s))
      // A mark joins its starter unless one of its own class, or a starter, stands between.
      if let at = starter, out == at + 1 || previousClass < c, let joined = composition(scalars[at], s) {
        scalars[at] = joined
        continue
      }
      if c == 0 { starter = out }
      previousClass = c
      scalars[out] = s
      out += 1
    }
    scalars.removeLast(scalars.count - out)
  }

  private func composition(_ a: UInt32, _ b: UInt32) -> UInt32? {
    if a >= Self.leadBase, a < Self.leadBase + 19, b >= Self.vowelBase, b < Self.vowelBase + 21 {
      return Self.syllableBase + (a - Self.leadBase) * Self.vowelTrailCount + (b - Self.vowelBase) * Self.trailCount
    }
    if a >= Self.syllableBase, a < Self.syllableBase + Self.syllableCount,
      (a - Self.syllableBase) % Self.trailCount == 0, b > Self.trailBase, b < Self.trailBase + Self.trailCount
    {
      return a + b - Self.trailBase
    }
    return compositions[UInt64(a) << 32 | UInt64(b)]
  }
}
