/// Why a path or bytes are not a tile or an entry bundle.
public enum TileRejection: Error, Equatable, Sendable, CustomStringConvertible {
  /// Not the one spelling of a path.
  case path(String, wanted: String)
  case tileLength(found: Int, wanted: Int)
  /// A bundle that ends within the entry of that number, counted from 0.
  case entryCut(entry: Int)
  case bundleWidth(found: Int, wanted: Int)
  case entryTooLong(entry: Int, byteCount: Int)

  public var description: String {
    switch self {
    case .path(let path, let wanted): "\"\(path)\" is no path of a tile: it needs \(wanted)"
    case .tileLength(let found, let wanted): "a tile of \(wanted) bytes is \(found) bytes long"
    case .entryCut(let entry): "the bundle ends within entry \(entry)"
    case .bundleWidth(let found, let wanted):
      "the bundle holds \(found > wanted ? "more than \(wanted)" : "\(found)") entries instead of \(wanted)"
    case .entryTooLong(let entry, let count):
      "entry \(entry) is \(count) bytes long; the limit is \(EntryBundle.entryBytesMax)"
    }
  }
}
