public import Transparency

/// Verifies every file of a log: that bundles, tiles of all levels and the checkpoint's root fit one another, and if
/// they do not, which of them is wrong.
///
/// Each tile is known twice, as it is stored and as what lies below it adds up to. Where the two differ, the hash in
/// the tile above says which is right; and the tiles at the right edge are right if they add up to the signed root.
///
/// Memory: a few bundles and one tile of each level, whatever the log's size.
///
/// Source: C2SP tlog-tiles; docs/spec/transparency.md, section 5.
public struct LogAudit: Sendable {
  public struct Report: Sendable, Equatable {
    public internal(set) var entries: UInt64 = 0
    /// Of bundles and tiles, as they were read.
    public internal(set) var byteCount = 0
    public internal(set) var files = 0
    /// The first ones.
    public internal(set) var findings: [LogFinding] = []
    public internal(set) var findingsTotal = 0

    /// Everything was read, and is right.
    public var isClean: Bool { findingsTotal == 0 }

    mutating func add(_ finding: LogFinding) {
      findingsTotal += 1
      if findings.count < LogAudit.findingsMax { findings.append(finding) }
    }
  }

  public static let findingsMax = 1000
  /// Bundles that are read ahead.
  static let window: UInt64 = 8

  private let reader: LogReader
  private let checkpoint: Checkpoint
  private let size: UInt64
  private var report = Report()
  /// The tiles that are not finished, by level.
  private var open: [OpenTile] = []
  /// The last tile of level 0 if it is partial: judged when the other tiles of the right edge are known.
  private var lastLeaves: ReadLeaves?
  /// Whether the stored tiles of the right edge add up to the signed root, and whether what lies below them does.
  private var isEdgeRight = false
  private var isComputedEdgeRight = false

  /// A tile above level 0 while its children are read.
  private struct OpenTile {
    let path: TilePath
    let stored: Tile?
    /// What lies below adds up to; nil where too much is missing below.
    var computed: [MerkleHash?] = []
  }

  /// - Parameter checkpoint: whose signature has been verified.
  public init(_ reader: LogReader, checkpoint: Checkpoint) {
    self.reader = reader
    self.checkpoint = checkpoint
    size = checkpoint.size
  }

  /// - Parameter progress: is told how many entries have been verified.
  /// - Throws: `CancellationError`.
  public mutating func run(progress: @Sendable (UInt64) -> Void = { _ in }) async throws -> Report {
    try await checkEdge()
    let reader = reader
    let size = size
    let count = (size + 255) / 256
    try await withThrowingTaskGroup(of: ReadLeaves.self) { group in
      var (started, next) = (UInt64(0), UInt64(0))
      var waiting: [UInt64: ReadLeaves] = [:]
      while next < count {
        while started < min(count, next + LogAudit.window) {
          let index = started
          group.addTask { await ReadLeaves(index: index, size: size, reader: reader) }
          started += 1
        }
        while waiting[next] == nil, let leaves = try await group.next() { waiting[leaves.index] = leaves }
        try Task.checkCancellation()
        guard let leaves = waiting.removeValue(forKey: next) else { break }
        try await add(leaves)
        next += 1
        progress(min(size, next * 256))
        // Whatever is left is not worth reading.
        guard report.findingsTotal < LogAudit.findingsMax else {
          report.add(LogFinding("tile", "the rest, from entry \(next * 256), was not read: too much is wrong"))
          return group.cancelAll()
        }
      }
    }
    try await finishEdge()
    return report
  }

  /// The stored partial tiles, and the root that they add up to.
  private mutating func checkEdge() async throws {
    let tiles: FetchedTiles
    do { tiles = try await reader.tiles(TilePaths.partial(in: size)) } catch { return }
    guard let edge = try? TileAppender(size: size, source: tiles) else { return }
    isEdgeRight = edge.root == checkpoint.root
  }

  private mutating func add(_ leaves: ReadLeaves) async throws {
    for finding in leaves.findings { report.add(finding) }
    report.files += leaves.files
    report.byteCount += leaves.byteCount
    report.entries += UInt64(leaves.computed?.count ?? 0)
    guard leaves.path.isFull else { return lastLeaves = leaves }
    try await rise(try await judge(leaves), level: 1)
  }

  private mutating func judge(_ leaves: ReadLeaves) async throws -> MerkleHash? {
    try await judge(
      path: leaves.path, stored: leaves.stored, computed: leaves.computed?.map { $0 }, bundle: leaves.bundlePath)
  }

  /// Notes the hash of a full tile in the one above, and finishes that when it is full, too.
  private mutating func rise(_ hash: MerkleHash?, level: Int) async throws {
    guard let at = try await openTile(level: level) else { return }
    open[at].computed.append(hash)
    guard open[at].computed.count == TilePath.widthMax else { return }
    let tile = open.remove(at: at)
    try await rise(try await finish(tile), level: level + 1)
  }

  private mutating func finish(_ tile: OpenTile) async throws -> MerkleHash? {
    let computed = tile.computed.compactMap { $0 }
    let versions = [tile.stored?.hashes, computed.count == tile.computed.count ? computed : nil].compactMap { $0 }
    let partial = await PartialTiles.check(tile.path, versions: versions, reader)
    report.files += partial.files
    for finding in partial.findings { report.add(finding) }
    return try await judge(path: tile.path, stored: tile.stored, computed: tile.computed, bundle: nil)
  }

  /// Which of the two versions of a tile is right, with a finding about the other.
  ///
  /// - Returns: the tile's hash; nil if it is not known.
  private mutating func judge(
    path: TilePath, stored: Tile?, computed: [MerkleHash?]?, bundle: TilePath?
  ) async throws -> MerkleHash? {
    let below = computed.flatMap { hashes in
      hashes.contains(nil) ? nil : Tile(path: path, hashes: hashes.compactMap { $0 })
    }
    guard let stored else { return below?.root }
    guard let computed else { return stored.root }
    let differing = zip(stored.hashes, computed).enumerated().filter { $1.1 != nil && $1.0 != $1.1 }.map(\.offset)
    guard !differing.isEmpty else { return stored.root }
    var expected: MerkleHash?
    if path.isFull, let above = try await openTile(level: path.level + 1) {
      let place = open[above].computed.count
      expected = open[above].stored?.hashes[place]
    }
    let isStoredRight = path.isFull ? expected == stored.root : isEdgeRight
    if isStoredRight {
      for at in differing { report.add(blameBelow(path, at, bundle)) }
      return stored.root
    }
    let isComputedRight = path.isFull ? expected != nil && expected == below?.root : isComputedEdgeRight
    let what = differing.map(String.init).prefix(5).joined(separator: ", ") + (differing.count > 5 ? ", …" : "")
    let end = isComputedRight ? "" : "; which of them is wrong cannot be told, because what is above fits neither"
    report.add(
      LogFinding(
        path.description,
        bundle.map { "its hashes of the entries \(what) are not those of the entries in \($0)\(end)" }
          ?? "its hashes \(what) are not those of the tiles below\(end)"))
    return below?.root
  }

  /// What lies below a hash that is known to be right.
  private func blameBelow(_ path: TilePath, _ at: Int, _ bundle: TilePath?) -> LogFinding {
    let index = path.index * 256 + UInt64(at)
    if let bundle { return LogFinding(bundle.description, "entry \(index) is not the one that was logged (\(path))") }
    let child = TilePath(.hashes(level: path.level - 1), index: index)
    return LogFinding(child?.description ?? path.description, "its hash is not the one in \(path)")
  }

  /// The place in ``open`` of the tile of that level that is being filled; nil if the tree has none.
  private mutating func openTile(level: Int) async throws -> Int? {
    if let at = open.firstIndex(where: { $0.path.level == level }) { return at }
    // Tiles are finished in their order, so this is the one after the last.
    let done = finishedTiles[level] ?? 0
    guard let path = TilePath(.hashes(level: level), index: done, in: size) else { return nil }
    finishedTiles[level] = done + 1
    let stored = await read(path)
    open.append(OpenTile(path: path, stored: stored))
    return open.count - 1
  }

  /// How many tiles of each level have been opened.
  private var finishedTiles: [Int: UInt64] = [:]

  private mutating func read(_ path: TilePath) async -> Tile? {
    var stored: Tile?
    do {
      let tile = try await reader.tile(path)
      report.files += 1
      report.byteCount += tile.hashes.count * MerkleHash.byteCount
      stored = tile
    } catch { report.add(LogFinding(path.description, error)) }
    return stored
  }

  /// Judges the partial tiles and the root.
  private mutating func finishEdge() async throws {
    isComputedEdgeRight = computedEdge() == checkpoint.root
    if let lastLeaves { _ = try await judge(lastLeaves) }
    for tile in open.sorted(by: { $0.path.level < $1.path.level }) {
      _ = try await finish(tile)
    }
    if !isEdgeRight && !isComputedEdgeRight {
      report.add(LogFinding("checkpoint", "the tiles do not add up to its root \(checkpoint.root)"))
    }
  }

  /// The root that what lies below the tiles of the right edge adds up to; the tiles stand in for what is missing.
  private func computedEdge() -> MerkleHash? {
    var edge = FetchedTiles()
    if let leaves = lastLeaves {
      edge.bytes[leaves.path] = (leaves.computed ?? leaves.stored?.hashes)?.flatMap(\.bytes)
    }
    for tile in open {
      let hashes = tile.computed.enumerated().map { $0.element ?? tile.stored?.hashes[$0.offset] }
      if !hashes.contains(nil) { edge.bytes[tile.path] = hashes.flatMap { $0?.bytes ?? [] } }
    }
    return try? TileAppender(size: size, source: edge).root
  }
}
