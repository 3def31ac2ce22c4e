/// Where tiles come from: a folder, an HTTP client, a dictionary of what was fetched before.
///
/// Reading is synchronous; who fetches over a network asks ``TileTree`` for the paths first, fetches them as it
/// likes, and hands in the dictionary.
public protocol TileSource<Failure> {
  associatedtype Failure: Error

  /// The bytes under `path`; of a partial tile that is gone, the beginning of the full one.
  func bytes(of path: TilePath) throws(Failure) -> [UInt8]
}

/// Why a tile could not be read.
public enum TileReadError<Failure: Error>: Error, CustomStringConvertible {
  /// The source did not give any bytes.
  case source(TilePath, Failure)
  /// It gave bytes that are no such tile.
  case rejected(TilePath, TileRejection)
  /// What was asked for is not in a tree of that many leaves.
  case outsideTree(ProofRejection)

  public var description: String {
    switch self {
    case .source(let path, let failure): "\(path) cannot be read: \(failure)"
    case .rejected(let path, let rejection): "\(path) is damaged: \(rejection)"
    case .outsideTree(let rejection): rejection.description
    }
  }
}

/// Tiles that were fetched before.
public struct FetchedTiles: TileSource, Sendable {
  public struct Missing: Error, Equatable, CustomStringConvertible {
    public var description: String { "it has not been fetched" }
  }
  public var bytes: [TilePath: [UInt8]]

  public init(_ bytes: [TilePath: [UInt8]] = [:]) { self.bytes = bytes }

  public func bytes(of path: TilePath) throws(Missing) -> [UInt8] {
    guard let found = bytes[path] else { throw Missing() }
    return found
  }
}
