public import Transparency

/// The tiles of a storage. A partial one that is gone is the beginning of the full one.
public struct StorageTiles<Storage: LogStorage>: TileSource, Sendable {
  public enum Failure: Error, Equatable, CustomStringConvertible {
    case storage(StorageFailure)
    case missing
    public var description: String {
      switch self {
      case .storage(let failure): failure.description
      case .missing: "it is missing"
      }
    }
  }

  public let storage: Storage

  public init(storage: Storage) { self.storage = storage }

  public func bytes(of path: TilePath) throws(Failure) -> [UInt8] {
    do throws(StorageFailure) {
      if let bytes = try storage.read(path.description) { return bytes }
      if !path.isFull, path.kind != .entries, let bytes = try storage.read(path.full.description) {
        return Array(bytes.prefix(path.width * MerkleHash.byteCount))
      }
    } catch { throw .storage(error) }
    throw .missing
  }

  /// A tile of hashes.
  func tile(_ path: TilePath) throws(LogFailure) -> Tile {
    let bytes: [UInt8]
    do { bytes = try self.bytes(of: path) } catch { throw LogFailure(path, error) }
    do { return try Tile(path: path, parsing: bytes) } catch {
      throw .damaged(path: path.description, reason: error.description)
    }
  }

  func bundle(_ path: TilePath) throws(LogFailure) -> EntryBundle {
    let bytes: [UInt8]
    do { bytes = try self.bytes(of: path) } catch { throw LogFailure(path, error) }
    do { return try EntryBundle(parsing: bytes, width: path.width) } catch {
      throw .damaged(path: path.description, reason: error.description)
    }
  }
}

extension LogFailure {
  init<Storage>(_ path: TilePath, _ failure: StorageTiles<Storage>.Failure) {
    self =
      switch failure {
      case .storage(let failure): .storage(failure)
      case .missing: .damaged(path: path.description, reason: "it is missing")
      }
  }

  init<Storage>(_ error: TileReadError<StorageTiles<Storage>.Failure>) {
    self =
      switch error {
      case .source(let path, let failure): LogFailure(path, failure)
      case .rejected(let path, let rejection): .damaged(path: path.description, reason: rejection.description)
      case .outsideTree(let rejection): .damaged(path: "checkpoint", reason: rejection.description)
      }
  }
}
