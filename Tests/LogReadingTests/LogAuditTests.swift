import Foundation
import LogReading
import TestSupport
import Testing
import Transparency

@Suite struct LogAuditTests {
  private func fsck(_ folder: SampleFolder, _ policy: TrustPolicy = SampleFolder.policy) async throws -> LogFsck.Report
  {
    try await LogFsck(FolderSource(folder: folder.path), policy: policy).run()
  }

  @Test(arguments: [[], [1], [255], [256], [257], [3, 100, 200, 300], [65_536], [65_000, 536, 1, 700]])
  func wholeLogsAreClean(_ batches: [Int]) async throws {
    let folder = try SampleFolder(batches)
    let report = try await fsck(folder)
    #expect(report.audit.findings == [] && report.exitStatus == 0)
    #expect(report.audit.entries == UInt64(batches.reduce(0, +)))
    // Every file that is there was read.
    #expect(report.audit.files == folder.tilePaths.count)
    #expect(report.verdict?.quorum == .notAskedFor)
  }

  /// Each file in turn: changed, cut, gone, replaced by another. It is named, and no other.
  @Test func damageIsNamed() async throws {
    let folder = try SampleFolder([3, 297, 400])
    let paths = folder.tilePaths
    #expect(paths.count == 12)
    for path in paths {
      let honest = try folder.bytes(path)
      let isNeeded = try TilePath(path) == TilePath(TilePath(path).kind, index: TilePath(path).index, in: 700)
      var changes = [Array(honest.dropLast()), honest + [0], [], honest.map { $0 ^ 1 }]
      for at in [0, 1, 2, honest.count / 2, honest.count - 1] {
        changes.append(honest)
        changes[changes.count - 1][at] ^= 4
      }
      for changed in changes {
        try folder.write(changed, path)
        let report = try await fsck(folder)
        #expect(
          report.exitStatus == 1 && report.audit.findings.map(\.path) == [path], "\(path): \(report.audit.findings)")
      }
      try folder.remove(path)
      let report = try await fsck(folder)
      // Partial ones of earlier sizes may go.
      #expect(report.audit.findings.map(\.path) == (isNeeded ? [path] : []), "\(path): \(report.audit.findings)")
      try folder.write(honest, path)
    }
    #expect(try await fsck(folder).exitStatus == 0)
  }

  /// Someone changes an entry and every hash above it, as far up as he can.
  @Test func consistentDamageIsNamed() async throws {
    let honest = try SampleFolder([70_000])
    let forged = try SampleFolder([])
    let writer = try LogWriter(forged.path)
    try writer.append((0..<70_000).map { Array("entry \($0 == 300 ? "forged" : "\($0)")".utf8) })
    var copied: [String] = []
    for (path, named) in [
      ("tile/entries/001", ["tile/entries/001"]), ("tile/0/001", ["tile/0/001"]), ("tile/1/000", ["tile/1/000"]),
      ("tile/2/000.p/1", ["checkpoint"]),
    ] {
      try honest.write(try forged.bytes(path), path)
      copied.append(path)
      let report = try await fsck(honest)
      #expect(report.audit.findings.map(\.path) == named, "\(copied): \(report.audit.findings)")
    }
  }

  @Test func signaturesAndQuorumCount() async throws {
    let folder = try SampleFolder([10])
    let other = try NoteSigner(name: "log.example/read", seed: [UInt8](repeating: 5, count: 32))
    let strangers = try TrustPolicy(parsing: Array("log \(other.verifierKey)\nquorum none\n".utf8))
    var report = try await fsck(folder, strangers)
    #expect(report.exitStatus == 1 && report.audit.findings[0].problem.contains("not signed by a known key"))
    let witness = try CosignatureSigner(name: "w.example/w", seed: [UInt8](repeating: 6, count: 32))
    let lines = "log \(SampleFolder.signer.verifierKey)\nwitness w \(witness.verifierKey)\nquorum w\n"
    let witnessed = try TrustPolicy(parsing: Array(lines.utf8))
    report = try await fsck(folder, witnessed)
    #expect(report.exitStatus == 1 && report.audit.findings[0].problem.contains("missing: w"))
    let signed = try SignedCheckpoint(parsing: try folder.bytes("checkpoint"))
    try folder.write(try signed.adding([witness.cosign(signed.checkpoint, timestamp: 1)]).bytes, "checkpoint")
    #expect(try await fsck(folder, witnessed).exitStatus == 0)
    try folder.remove("checkpoint")
    #expect(try await fsck(folder).audit.findings.map(\.problem) == ["it is missing"])
  }

  /// The log's own checkpoint may be ahead of what is published, if it continues it.
  @Test func sequencedEntriesAreReadToo() async throws {
    let folder = try SampleFolder([300])
    let published = try folder.bytes("checkpoint")
    let ahead = try SampleFolder([300, 500])
    try FileManager.default.removeItem(atPath: folder.path)
    try FileManager.default.copyItem(atPath: ahead.path, toPath: folder.path)
    try folder.write(try ahead.bytes("checkpoint"), ".latest")
    try folder.write(published, "checkpoint")
    var report = try await fsck(folder)
    #expect(report.exitStatus == 0 && report.latest?.size == 800 && report.audit.entries == 800)
    let fork = try SampleFolder.checkpoint(size: 299, root: .emptyRoot)
    try folder.write(fork.bytes, "checkpoint")
    report = try await fsck(folder)
    #expect(report.exitStatus == 1 && report.audit.findings[0].problem.contains("forked"))
  }

  /// A log of that many published entries, whose own checkpoint is ahead.
  private func ahead(_ published: Int, _ latest: Int) throws -> SampleFolder {
    let checkpoint = try SampleFolder([published]).bytes("checkpoint")
    let folder = try SampleFolder([published, latest - published])
    try folder.write(try folder.bytes("checkpoint"), ".latest")
    try folder.write(checkpoint, "checkpoint")
    return folder
  }

  /// What readers of the published checkpoint ask for must be there, although the log itself needs it no more.
  @Test func whatReadersNeedIsMissed() async throws {
    let folder = try ahead(2, 3)
    #expect(try await fsck(folder).exitStatus == 0)
    for path in ["tile/entries/000.p/2", "tile/0/000.p/2"] {
      let honest = try folder.bytes(path)
      try folder.remove(path)
      let report = try await fsck(folder)
      #expect(report.exitStatus == 1 && report.audit.findings.map(\.path) == [path], "\(report.audit.findings)")
      try folder.write(honest, path)
    }
    // A full tile stands in for its beginning.
    let large = try ahead(200, 300)
    for path in ["tile/entries/000.p/200", "tile/0/000.p/200"] { try large.remove(path) }
    #expect(try await fsck(large).exitStatus == 0)
  }

  /// A damaged file is no fork, and does not hide one.
  @Test func aForkIsToldFromDamage() async throws {
    for (published, latest, path) in [
      (2, 3, "tile/0/000.p/2"), (2, 3, "tile/0/000.p/3"), (2, 3, "tile/entries/000.p/2"), (300, 700, "tile/0/000"),
      (300, 700, "tile/1/000.p/1"), (300, 700, "tile/entries/002.p/188"),
    ] {
      let folder = try ahead(published, latest)
      try folder.write(try folder.bytes(path).map { $0 ^ 1 }, path)
      let report = try await fsck(folder)
      #expect(report.audit.findings.map(\.path) == [path], "\(report.audit.findings)")
      #expect(!report.audit.findings.contains { $0.problem.contains("forked") })
    }
    let folder = try ahead(300, 700)
    try folder.write([], "tile/entries/002.p/188")
    for size in [UInt64(700), 299, 1] {
      try folder.write(try SampleFolder.checkpoint(size: size, root: .leaf([7])).bytes, "checkpoint")
      let report = try await fsck(folder)
      #expect(report.audit.findings.map(\.path).contains("checkpoint"), "\(size)")
      // Of one size it is the tiles that say so, which add up to one of the two.
      #expect(report.audit.findings.contains { $0.problem.contains("forked") }, "\(size): \(report.audit.findings)")
    }
  }

  @Test func filesOfNoTileAreNamed() async throws {
    let folder = try SampleFolder([3, 2])
    let strays = [
      "tile/0/000", "tile/0/000.p/6", "tile/0/000.p/x", "tile/0/001.p/1", "tile/1/000.p/1", "tile/9/000.p/1",
      "tile/entries/000.p/03", "tile/readme", "tile/0/x000/000",
    ]
    for path in strays {
      try folder.write([1], path)
      let report = try await fsck(folder)
      #expect(report.exitStatus == 1 && report.audit.findings.map(\.path).contains(path), "\(path)")
      try folder.remove(path)
    }
    // The writer's own.
    try folder.write([1], "tile/0/.new-000")
    #expect(try await fsck(folder).audit.findings.filter { !$0.path.hasPrefix("tile/entries/000.p") } == [])
  }

  /// A batch whose writer was killed before the log's own checkpoint had it has its tiles already.
  @Test func aBatchThatIsBeingWrittenIsNoDamage() async throws {
    let folder = try SampleFolder([3, 400])
    let checkpoint = try SampleFolder([3]).bytes("checkpoint")
    try folder.write(checkpoint, "checkpoint")
    try folder.write(checkpoint, ".latest")
    #expect(try await fsck(folder).exitStatus == 1)
    var pending: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 3]
    for entry in 3..<403 {
      let bytes = Array("entry \(entry)".utf8)
      pending += [0, UInt8(bytes.count)] + bytes
    }
    try folder.write(pending, ".pending")
    let report = try await fsck(folder)
    #expect(report.exitStatus == 0, "\(report.audit.findings)")
  }

  /// It waits for the witnesses of its first checkpoint, or was killed before it.
  @Test func aLogThatHasPublishedNothingIsReadToo() async throws {
    let folder = try SampleFolder([300])
    try folder.write(try folder.bytes("checkpoint"), ".latest")
    try folder.remove("checkpoint")
    var report = try await fsck(folder)
    #expect(report.exitStatus == 0 && report.verdict == nil && report.latest?.size == 300)
    #expect(report.audit.entries == 300)
    try folder.write([1, 2, 3], "tile/entries/000")
    #expect(try await fsck(folder).exitStatus == 1)
    try folder.write(try SampleFolder.checkpoint(size: 299, root: .emptyRoot).bytes, ".latest")
    report = try await fsck(folder)
    #expect(report.exitStatus == 1)
    // Not one of this log.
    let other = try NoteSigner(name: "log.example/other", seed: [UInt8](repeating: 5, count: 32))
    let checkpoint = try Checkpoint(origin: "log.example/other", size: 0, root: .emptyRoot)
    let signed = try SignedCheckpoint(checkpoint, signatures: [other.sign(checkpoint)])
    try folder.write(signed.bytes, ".latest")
    report = try await fsck(folder)
    #expect(
      report.exitStatus == 1 && report.latest == nil && report.audit.findings.map(\.path) == [".latest", "checkpoint"])
  }

  @Test func endlessDamageEnds() async throws {
    let folder = try SampleFolder([300])
    try folder.write(try SampleFolder.checkpoint(size: UInt64(Int64.max), root: .emptyRoot).bytes, "checkpoint")
    let report = try await fsck(folder)
    #expect(report.exitStatus == 1 && report.audit.findings.count == LogAudit.findingsMax)
  }
}
