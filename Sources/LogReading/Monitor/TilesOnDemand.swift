import Transparency

/// What a log's tiles say, each read when a question needs it, once.
///
/// Trust: none; a proof that is made from wrong tiles does not verify.
struct TilesOnDemand {
  private let reader: LogReader
  private var tiles = FetchedTiles()

  init(_ reader: LogReader) { self.reader = reader }

  /// - Parameter size: of the tree.
  /// - Throws: ``LogFinding``: the tile that is not at hand, and why.
  mutating func answer<Answer>(
    in size: UInt64, _ question: (TileTree<FetchedTiles>) throws -> Answer
  ) async throws -> Answer {
    while true {
      do { return try question(TileTree(size: size, source: tiles)) } catch let error
        as TileTree<FetchedTiles>.ReadError
      {
        guard case .source(let path, _) = error else { throw LogFinding("tile", error.description) }
        do { tiles.bytes[path] = try await reader.tile(path).bytes } catch {
          throw LogFinding(path.description, error)
        }
      }
    }
  }
}
