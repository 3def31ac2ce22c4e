public import Transparency

/// Verifies a whole log: its checkpoint's signatures, and every file under it.
public struct LogFsck: Sendable {
  public struct Report: Sendable {
    /// Nil if there is none, or it is not signed by a log of the policy.
    public internal(set) var verdict: PolicyVerdict?
    /// The log's own last checkpoint, where that is ahead of the published one.
    public internal(set) var latest: Checkpoint?
    public internal(set) var audit = LogAudit.Report()

    /// 0 if all is right, 1 if something is wrong, 2 if nothing is wrong as far as could be read.
    public var exitStatus: Int32 {
      if audit.isClean { return 0 }
      return audit.findings.allSatisfy(\.isUnread) ? 2 : 1
    }
  }

  private let reader: LogReader
  private let policy: TrustPolicy

  public init(_ source: any LogSource, policy: TrustPolicy) {
    reader = LogReader(source)
    self.policy = policy
  }

  /// - Parameter progress: is told how many entries of how many have been verified.
  /// - Throws: `CancellationError`.
  public func run(progress: @escaping @Sendable (UInt64, UInt64) -> Void = { _, _ in }) async throws -> Report {
    var report = Report()
    // Entries that are sequenced and not published yet. Over HTTP they are nobody's business.
    let isFolder = reader.source is FolderSource
    let latest = isFolder ? await verified(".latest", &report, isOptional: true)?.checkpoint : nil
    // A log that waits for the witnesses of its first checkpoint, or was killed before it, has published nothing.
    let published = await verified("checkpoint", &report, isOptional: latest != nil)
    report.verdict = published
    guard published != nil || latest != nil && report.audit.isClean else { return report }
    if case .notReached(let shortfall) = published?.quorum {
      report.audit.add(LogFinding("checkpoint", shortfall.description))
    }
    guard var largest = published?.checkpoint ?? latest else { return report }
    if let latest, latest.size > largest.size || published == nil {
      if latest.origin == largest.origin {
        report.latest = latest
        largest = latest
      } else {
        report.audit.add(LogFinding(".latest", "it is of another log, \(latest.origin)"))
      }
    }
    guard !largest.isImpossible else {
      report.audit.add(LogFinding("checkpoint", "a log of no entries has the root of some"))
      return report
    }
    let size = largest.size
    var audit = LogAudit(reader, checkpoint: largest)
    let found = try await audit.run { progress($0, size) }
    report.audit.merge(found)
    if let published, let latest, latest.origin == largest.origin {
      await checkBeginning(published.checkpoint, of: latest, &report)
    }
    if let folder = reader.source as? FolderSource {
      for finding in try await StrayFiles.find(in: folder, largest) { report.audit.add(finding) }
    }
    return report
  }

  /// A checkpoint with good signatures.
  private func verified(_ path: String, _ report: inout Report, isOptional: Bool = false) async -> PolicyVerdict? {
    let signed: SignedCheckpoint
    do { signed = try await reader.checkpoint(path) } catch {
      if error as? LogReader.Problem != .missing || !isOptional { report.audit.add(LogFinding(path, error)) }
      return nil
    }
    do throws(CheckpointRejection) { return try policy.evaluate(signed) } catch {
      report.audit.add(LogFinding(path, error.description))
      return nil
    }
  }

  /// That the published tree is the beginning of the log's own, and that its readers have what they ask for.
  private func checkBeginning(_ published: Checkpoint, of latest: Checkpoint, _ report: inout Report) async {
    guard !published.isImpossible else {
      return report.audit.add(LogFinding("checkpoint", "a log of no entries has the root of some"))
    }
    // One that was read before the published one may be smaller.
    guard published.size > 0, latest.size >= published.size else { return }
    do {
      if let root = try await root(ofFirst: published.size, of: latest), root != published.root {
        return report.audit.add(LogFinding("checkpoint", "it is not the beginning of .latest: the log has forked"))
      }
    } catch { report.audit.add(LogFinding("checkpoint", error)) }
    let bundle = TilePath(.entries, index: published.size >> 8, in: published.size)
    for path in TilePaths.partial(in: published.size) + [bundle].compactMap({ $0 }) {
      do {
        if path.kind == .entries { _ = try await reader.bundle(path) } else { _ = try await reader.tile(path) }
      } catch {
        guard error as? LogReader.Problem == .missing, !report.audit.names(path) else { continue }
        report.audit.add(LogFinding(path.description, "it is missing, and readers of the checkpoint need it"))
      }
    }
  }

  /// The root that the log's own tree had at some size.
  ///
  /// - Returns: nil if the tiles do not prove it, because something is wrong with them.
  private func root(ofFirst size: UInt64, of latest: Checkpoint) async throws -> MerkleHash? {
    guard size < latest.size else { return latest.root }
    let paths = TilePaths.forRoot(of: size).compactMap { TilePath($0.kind, index: $0.index, in: latest.size) }
    let tiles = try await reader.tiles(paths + TilePaths.forConsistency(from: size, to: latest.size))
    let tree = TileTree(size: latest.size, source: tiles)
    guard let root = try? tree.root(ofFirst: size), let proof = try? tree.consistencyProof(from: size),
      (try? proof.verify(oldRoot: root, newRoot: latest.root)) != nil
    else { return nil }
    return root
  }
}

extension LogAudit.Report {
  /// Whether something is wrong with a file, as far as findings are kept.
  func names(_ path: TilePath) -> Bool { findings.contains { $0.path == path.description } }

  /// Takes in what another part of the work has found.
  mutating func merge(_ other: LogAudit.Report) {
    entries += other.entries
    byteCount += other.byteCount
    files += other.files
    findings = Array((findings + other.findings).prefix(LogAudit.findingsMax))
    findingsTotal += other.findingsTotal
  }
}
