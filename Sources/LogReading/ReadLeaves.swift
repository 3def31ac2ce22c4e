import Transparency

/// 256 entries or the last ones, and their hashes: as the bundle has them and as the tile of level 0 has them.
struct ReadLeaves: Sendable {
  let index: UInt64
  let path: TilePath
  let bundlePath: TilePath
  private(set) var stored: Tile?
  /// Of the bundle's entries.
  private(set) var computed: [MerkleHash]?
  private(set) var findings: [LogFinding] = []
  private(set) var files = 0
  private(set) var byteCount = 0

  /// - Parameter index: of the tile within level 0, which a tree of `size` has.
  init(index: UInt64, size: UInt64, reader: LogReader) async {
    guard let path = TilePath(.hashes(level: 0), index: index, in: size),
      let bundlePath = TilePath(.entries, index: index, in: size)
    else { preconditionFailure("the tree has that tile") }
    self.index = index
    self.path = path
    self.bundlePath = bundlePath
    do {
      let (entries, count) = try await reader.bundle(bundlePath)
      computed = entries.map { MerkleHash.leaf($0) }
      byteCount += count
      files += 1
    } catch { findings.append(LogFinding(bundlePath.description, error)) }
    do {
      let tile = try await reader.tile(path)
      byteCount += tile.hashes.count * MerkleHash.byteCount
      files += 1
      stored = tile
    } catch { findings.append(LogFinding(path.description, error)) }
    for path in [path, bundlePath] {
      let partial = await PartialTiles.check(path, versions: [stored?.hashes, computed].compactMap { $0 }, reader)
      files += partial.files
      findings += partial.findings
    }
  }
}

/// The partial tiles and bundles that a log has kept of earlier sizes: each is the beginning of a later one.
enum PartialTiles {
  /// - Parameter versions: the hashes of the tile as it is stored and as what is below adds up to. A partial one that
  ///   fits either is right, or wrong in a way that is found out about the whole one.
  static func check(
    _ path: TilePath, versions: [[MerkleHash]], _ reader: LogReader
  ) async -> (findings: [LogFinding], files: Int) {
    var (findings, files) = ([LogFinding](), 0)
    guard !versions.isEmpty else { return (findings, files) }
    let widths: [Int]
    do throws(LogReadError) { widths = try reader.source.partialWidths(of: path.full) ?? [] } catch {
      return ([LogFinding(path.description, LogReader.Problem.read(error))], 0)
    }
    // One that is wider belongs to a larger tree, which is not published yet.
    for width in widths where width < path.width {
      guard let partial = TilePath(path.kind, index: path.index, width: width) else { continue }
      do {
        let found =
          path.kind == .entries
          ? try await reader.bundle(partial).entries.map { MerkleHash.leaf($0) } : try await reader.tile(partial).hashes
        files += 1
        if !versions.contains(where: { found.elementsEqual($0.prefix(width)) }) {
          findings.append(LogFinding(partial.description, "it is not the beginning of \(path)"))
        }
      } catch { findings.append(LogFinding(partial.description, error)) }
    }
    return (findings, files)
  }
}
