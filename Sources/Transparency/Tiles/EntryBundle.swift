/// Consecutive entries of a log, each with its length before it.
///
/// Source: C2SP tlog-tiles, "Log entries".
public struct EntryBundle: Sendable, Equatable {
  /// What two bytes of length can say.
  public static let entryBytesMax = 65_535

  /// 1…256 of them.
  public let entries: [[UInt8]]

  /// - Throws: ``TileRejection/entryTooLong(entry:byteCount:)``, or ``TileRejection/bundleWidth(found:wanted:)``
  ///   unless there are 1 to 256 entries.
  public init(_ entries: [[UInt8]]) throws(TileRejection) {
    guard (1...TilePath.widthMax).contains(entries.count) else {
      throw .bundleWidth(found: entries.count, wanted: TilePath.widthMax)
    }
    for (i, entry) in entries.enumerated() where entry.count > EntryBundle.entryBytesMax {
      throw .entryTooLong(entry: i, byteCount: entry.count)
    }
    self.entries = entries
  }

  /// Reads the bytes that a log serves for a bundle of `width` entries, after the HTTP layer has decompressed them.
  public init(parsing bytes: [UInt8], width: Int) throws(TileRejection) {
    var entries: [[UInt8]] = []
    var at = 0
    while at < bytes.count {
      guard entries.count < min(width, TilePath.widthMax) else {
        throw .bundleWidth(found: entries.count + 1, wanted: width)
      }
      guard bytes.count - at >= 2 else { throw .entryCut(entry: entries.count) }
      let length = Int(bytes[at]) << 8 | Int(bytes[at + 1])
      guard bytes.count - at - 2 >= length else { throw .entryCut(entry: entries.count) }
      entries.append(Array(bytes[(at + 2)..<(at + 2 + length)]))
      at += 2 + length
    }
    guard entries.count == width, width > 0 else { throw .bundleWidth(found: entries.count, wanted: width) }
    self.entries = entries
  }

  public var bytes: [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(entries.reduce(0) { $0 + 2 + $1.count })
    for entry in entries {
      out.append(UInt8(truncatingIfNeeded: entry.count >> 8))
      out.append(UInt8(truncatingIfNeeded: entry.count))
      out.append(contentsOf: entry)
    }
    return out
  }

  /// What the tile of level 0 holds in the same place.
  public var leafHashes: [MerkleHash] { entries.map { MerkleHash.leaf($0) } }
}
