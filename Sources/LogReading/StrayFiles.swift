import ModelFiles
import Transparency
import TransparencyLog

/// Files under `tile/` of a log's folder that belong to no tile of the log: what a mistake or damage has left there.
///
/// Partial forms of a tile that the log has are not among them: ``PartialTiles`` judges their content.
struct StrayFiles {
  private let source: FolderSource
  private let origin: ByteText
  /// The whole log, as far as it is known: a batch that is being written, or was when its writer was killed, has its
  /// tiles before the log's checkpoint has it.
  private var size: UInt64
  private var findings: [LogFinding] = []

  /// Folders in folders that a path of a tile has at most.
  private static let depthMax = 12

  private init(_ source: FolderSource, _ checkpoint: Checkpoint) {
    self.source = source
    origin = checkpoint.origin
    size = checkpoint.size
  }

  /// - Parameter checkpoint: the largest one that is known.
  static func find(in source: FolderSource, _ checkpoint: Checkpoint) async throws -> [LogFinding] {
    var files = StrayFiles(source, checkpoint)
    try await files.walk("tile", depth: 1)
    return files.findings
  }

  private mutating func walk(_ folder: String, depth: Int) async throws {
    let names: [String]
    do throws(FileFailure) { names = try FileSystem.names(in: source.place + "/" + folder) } catch {
      return findings.append(LogFinding(folder, LogReader.Problem.read(.failed(place: folder, reason: "\(error)"))))
    }
    // What begins with a point is the writer's own, and never served.
    for name in names where !name.hasPrefix(".") {
      try Task.checkCancellation()
      guard findings.count < LogAudit.findingsMax else { return }
      let path = folder + "/" + name
      if let tile = try? TilePath(path) {
        if await !isOfLog(tile) { findings.append(LogFinding(path, "the log has no such tile; remove it")) }
      } else if depth < StrayFiles.depthMax, (try? FileSystem.kind(of: source.place + "/" + path)) == .directory {
        try await walk(path, depth: depth + 1)
      } else {
        findings.append(LogFinding(path, "it is no file of a log; remove it"))
      }
    }
  }

  private mutating func isOfLog(_ path: TilePath) async -> Bool {
    if isWithin(size, path) { return true }
    // It may have grown since.
    size = max(size, await currentSize())
    return isWithin(size, path)
  }

  private func isWithin(_ size: UInt64, _ path: TilePath) -> Bool {
    TilePath(path.kind, index: path.index, in: size).map { path.width <= $0.width } ?? false
  }

  /// With the batch that is being written.
  private func currentSize() async -> UInt64 {
    var size: UInt64 = 0
    let reader = LogReader(source)
    for path in [".latest", "checkpoint"] {
      guard let signed = try? await reader.checkpoint(path), signed.checkpoint.origin == origin else { continue }
      size = max(size, signed.checkpoint.size)
    }
    guard let bytes = try? await source.read(PendingBatch.path, bytesMax: PendingBatch.fileBytesMax),
      let pending = try? PendingBatch(parsing: bytes), pending.size <= size
    else { return size }
    return max(size, pending.size + UInt64(pending.entries.count))
  }
}
