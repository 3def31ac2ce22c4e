public import Transparency

/// Looks for entries by their leaf hashes.
///
/// A log's tiles cannot be searched, and asking its server would be believing it: all leaf hashes are read, 32 bytes an
/// entry, and must add up to the checkpoint's root. So what is not found is not there.
public struct LogLookup: Sendable {
  public struct Result: Sendable {
    /// Its signatures are not verified.
    public let signed: SignedCheckpoint
    /// For each leaf that is there, where.
    public let proofs: [MerkleHash: InclusionProof]
    /// For each number of entries that was asked about, and that there are, what the first so many add up to.
    public let roots: [UInt64: MerkleHash]
  }

  private let reader: LogReader

  public init(_ source: any LogSource) { reader = LogReader(source) }

  /// - Parameters:
  ///   - sizes: of beginnings of the log whose roots are wanted.
  ///   - progress: is told how many entries have been read, and of how many.
  /// - Throws: ``LogFinding``, `CancellationError`.
  public func find(
    _ leaves: Set<MerkleHash>, rootsOf sizes: Set<UInt64> = [],
    progress: @Sendable (UInt64, UInt64) -> Void = { _, _ in }
  ) async throws -> Result {
    let signed: SignedCheckpoint
    do { signed = try await reader.checkpoint() } catch { throw LogFinding("checkpoint", error) }
    let (size, root) = (signed.checkpoint.size, signed.checkpoint.root)
    var range = CompactRange()
    var roots: [UInt64: MerkleHash] = sizes.contains(0) ? [0: range.root] : [:]
    // The first place of each: a log may have an entry again and again.
    var places: [MerkleHash: UInt64] = [:]
    while range.size < size {
      try Task.checkCancellation()
      guard let path = TilePath(.hashes(level: 0), index: range.size / 256, in: size) else { break }
      let tile: Tile
      do { tile = try await reader.tile(path) } catch { throw LogFinding(path.description, error) }
      for hash in tile.hashes {
        if leaves.contains(hash), places[hash] == nil { places[hash] = range.size }
        range.append(hash)
        if sizes.contains(range.size) { roots[range.size] = range.root }
      }
      progress(range.size, size)
    }
    guard range.root == root else { throw LogFinding("tile/0", "the leaves do not add up to the checkpoint's root") }
    var proofs: [MerkleHash: InclusionProof] = [:]
    for (leaf, index) in places {
      let tiles = try await reader.tiles(TilePaths.forInclusion(of: index, in: size))
      do { proofs[leaf] = try TileTree(size: size, source: tiles).inclusionProof(of: index) } catch {
        throw LogFinding("tile", error.description)
      }
    }
    return Result(signed: signed, proofs: proofs, roots: roots)
  }
}
