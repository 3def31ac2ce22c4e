public import Transparency

/// Reads a log's files in their forms. A partial tile or bundle that is gone is the beginning of the full one.
public struct LogReader: Sendable {
  public let source: any LogSource

  /// 256 entries of the greatest length.
  static let bundleBytesMax = TilePath.widthMax * (2 + EntryBundle.entryBytesMax)

  public init(_ source: any LogSource) { self.source = source }

  /// Why a file is not what it should be, or nil in place of it.
  public enum Problem: Error, Equatable, Sendable, CustomStringConvertible {
    case read(LogReadError)
    case missing
    case malformed(String)

    public var description: String {
      switch self {
      case .read(let error): error.description
      case .missing: "it is missing"
      case .malformed(let reason): reason
      }
    }
  }

  /// The checkpoint under `path`; its signatures are not verified.
  public func checkpoint(_ path: String = "checkpoint") async throws -> SignedCheckpoint {
    guard let bytes = try await bytes(path, Note.bytesMax) else { throw Problem.missing }
    do { return try SignedCheckpoint(parsing: bytes) } catch { throw Problem.malformed(error.description) }
  }

  /// A tile of hashes.
  public func tile(_ path: TilePath) async throws -> Tile {
    var found = try await bytes(path.description, path.width * MerkleHash.byteCount)
    if found == nil, !path.isFull {
      found = try await bytes(path.full.description, TilePath.widthMax * MerkleHash.byteCount)
        .map { Array($0.prefix(path.width * MerkleHash.byteCount)) }
    }
    guard let found else { throw Problem.missing }
    do { return try Tile(path: path, parsing: found) } catch { throw Problem.malformed(error.description) }
  }

  /// - Returns: the entries, and the bytes that they took.
  public func bundle(_ path: TilePath) async throws -> (entries: [[UInt8]], byteCount: Int) {
    if let bytes = try await bytes(path.description, LogReader.bundleBytesMax) {
      do { return (try EntryBundle(parsing: bytes, width: path.width).entries, bytes.count) } catch {
        throw Problem.malformed(error.description)
      }
    }
    guard !path.isFull, let bytes = try await bytes(path.full.description, LogReader.bundleBytesMax) else {
      throw Problem.missing
    }
    do {
      let entries = try EntryBundle(parsing: bytes, width: TilePath.widthMax).entries
      return (Array(entries.prefix(path.width)), bytes.count)
    } catch { throw Problem.malformed(error.description) }
  }

  /// Those of `paths` that are there, for ``TileTree``.
  public func tiles(_ paths: [TilePath]) async throws -> FetchedTiles {
    var tiles = FetchedTiles()
    for path in paths {
      do { tiles.bytes[path] = try await tile(path).bytes } catch let problem as Problem {
        if case .read = problem { throw problem }
      }
    }
    return tiles
  }

  private func bytes(_ path: String, _ bytesMax: Int) async throws -> [UInt8]? {
    do { return try await source.read(path, bytesMax: bytesMax) } catch let error as LogReadError {
      if case .tooLong = error { throw Problem.malformed(error.description) }
      throw Problem.read(error)
    }
  }
}
