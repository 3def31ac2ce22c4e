/// The name of a tile or of an entry bundle, below the log's prefix.
///
/// Source: C2SP tlog-tiles, "Merkle Tree" and "Log entries".
public struct TilePath: Hashable, Sendable, CustomStringConvertible {
  public enum Kind: Hashable, Sendable {
    /// Hashes of subtrees of 256^level leaves, level 0…63.
    case hashes(level: Int)
    case entries
  }

  /// Hashes in a full tile, and entries in a full bundle.
  public static let widthMax = 256
  public static let levelMax = 63
  /// Tiles of level 0 in the largest tree.
  public static let indexMax = CanonicalDecimal.valueMax >> 8
  /// Bytes of the longest path.
  static let byteCountMax = 64

  public let kind: Kind
  /// Of the tile within its level.
  public let index: UInt64
  /// 1…255 of a partial tile, 256 of a full one.
  public let width: Int

  /// - Returns: nil unless every number is within its limits.
  public init?(_ kind: Kind, index: UInt64, width: Int = TilePath.widthMax) {
    if case .hashes(let level) = kind { guard (0...TilePath.levelMax).contains(level) else { return nil } }
    guard index <= TilePath.indexMax, (1...TilePath.widthMax).contains(width) else { return nil }
    self.kind = kind
    self.index = index
    self.width = width
  }

  /// The tile as a tree of `size` leaves has it.
  ///
  /// - Returns: nil if that tree has no such tile.
  public init?(_ kind: Kind, index: UInt64, in size: UInt64) {
    let level = if case .hashes(let level) = kind { level } else { 0 }
    guard (0...TilePath.levelMax).contains(level), index <= TilePath.indexMax else { return nil }
    let count = level > 7 ? 0 : size >> UInt64(8 * level)
    guard index <= count >> 8 else { return nil }
    self.init(kind, index: index, width: index < count >> 8 ? TilePath.widthMax : Int(count & 255))
  }

  /// The level of hashes; 0 for entries, whose hashes are there.
  public var level: Int { if case .hashes(let level) = kind { level } else { 0 } }
  public var isFull: Bool { width == TilePath.widthMax }
  /// The full tile in the same place.
  public var full: TilePath { TilePath(kind, index: index) ?? self }

  /// `tile/0/x001/x234/067`, `tile/entries/000.p/12`, without a slash at its start.
  public var description: String {
    let directory = if case .hashes(let level) = kind { String(level) } else { "entries" }
    var groups: [String] = []
    var rest = index
    repeat {
      let group = String(rest % 1000)
      groups.append((groups.isEmpty ? "" : "x") + String(repeating: "0", count: 3 - group.utf8.count) + group)
      rest /= 1000
    } while rest > 0
    return "tile/\(directory)/" + groups.reversed().joined(separator: "/") + (isFull ? "" : ".p/\(width)")
  }

  /// Reads what ``description`` writes, and nothing else.
  public init(parsing path: some Collection<UInt8>) throws(TileRejection) {
    func refused(_ wanted: String) -> TileRejection { .path(ByteText.shown(path), wanted: wanted) }
    guard path.count <= TilePath.byteCountMax else { throw refused("at most \(TilePath.byteCountMax) bytes") }
    var parts = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)[...]
    guard let first = parts.popFirst(), first.elementsEqual("tile".utf8), let directory = parts.popFirst() else {
      throw refused("tile/LEVEL/ or tile/entries/ at its start")
    }
    let kind: Kind
    if directory.elementsEqual("entries".utf8) {
      kind = .entries
    } else if let level = CanonicalDecimal.value(directory, max: UInt64(TilePath.levelMax)) {
      kind = .hashes(level: Int(level))
    } else {
      throw refused("a level from 0 to \(TilePath.levelMax) or entries")
    }
    var width = UInt64(TilePath.widthMax)
    if parts.count >= 2, let stem = parts.dropLast().last, stem.suffix(2).elementsEqual(".p".utf8),
      let last = parts.popLast()
    {
      guard let partial = CanonicalDecimal.value(last, max: 255), partial > 0 else {
        throw refused("a width from 1 to 255 after .p/")
      }
      width = partial
      parts[parts.endIndex - 1] = stem.dropLast(2)
    }
    let form = "an index in groups of three digits, all but the last after an x"
    guard !parts.isEmpty && parts.count <= 7 else { throw refused(form) }
    var index: UInt64 = 0
    for (i, part) in parts.enumerated() {
      var digits = part
      if i < parts.count - 1 { guard digits.popFirst() == UInt8(ascii: "x") else { throw refused(form) } }
      guard digits.count == 3 else { throw refused(form) }
      for c in digits {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(c) else { throw refused(form) }
        // Seven groups are below 10^21: the check of the limit comes before each step that could pass it.
        guard index <= TilePath.indexMax / 10 else { throw refused("an index of at most \(TilePath.indexMax)") }
        index = index * 10 + UInt64(c - UInt8(ascii: "0"))
      }
      if i == 0 && parts.count > 1 && index == 0 { throw refused("no groups of zeros before the index") }
    }
    guard let read = TilePath(kind, index: index, width: Int(width)) else {
      throw refused("an index of at most \(TilePath.indexMax)")
    }
    self = read
  }

  /// The same of text.
  public init(_ path: String) throws(TileRejection) { try self.init(parsing: Array(path.utf8)) }
}
