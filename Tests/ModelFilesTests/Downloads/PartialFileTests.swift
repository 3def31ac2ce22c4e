import Foundation
import ModelFiles
import Testing

@Suite struct PartialFileTests {
  let folder = TemporaryFolder()
  var path: String { folder.path + "/file" }
  let subject = PartialFile.Subject(bytes: 1000, identity: "sha256:x")

  private func put(_ file: PartialFile, _ range: Range<Int>) throws {
    let bytes = range.map { UInt8(truncatingIfNeeded: $0) }
    try bytes.withUnsafeBytes { _ = try file.write($0, at: range.lowerBound) }
  }

  @Test func rangesAreASet() {
    var (seed, generator) = SeededGenerator.announced("PartialFileTests.rangesAreASet")
    for round in 0..<200 {
      var ranges = ByteRanges()
      var bits = [Bool](repeating: false, count: 40)
      for _ in 0..<Int.random(in: 0...12, using: &generator) {
        let lower = Int.random(in: 0..<40, using: &generator)
        let range = lower..<Int.random(in: lower...40, using: &generator)
        ranges.insert(range)
        for i in range { bits[i] = true }
      }
      #expect(ranges.count == bits.count { $0 }, "seed \(seed), round \(round)")
      #expect((0..<40).allSatisfy { i in ranges.ranges.contains { $0.contains(i) } == bits[i] })
      #expect(zip(ranges.ranges, ranges.ranges.dropFirst()).allSatisfy { $0.upperBound < $1.lowerBound })
      let gaps = ranges.missing(below: 40)
      #expect((0..<40).allSatisfy { i in gaps.contains { $0.contains(i) } != bits[i] })
      // Also where the ranges reach beyond the end.
      #expect(ranges.missing(below: 20).allSatisfy { $0.upperBound <= 20 && !$0.isEmpty })
    }
  }

  @Test func goesOnWhereItStopped() throws {
    do {
      let file = try PartialFile(path: path, subject: subject)
      #expect(file.missing == [0..<1000] && file.validator == nil)
      try put(file, 100..<300)
      try put(file, 0..<50)
      #expect(try [UInt8](repeating: 0, count: 20).withUnsafeBytes { try file.write($0, at: 40) } == 10)
      try put(file, 40..<60)
      try file.recordProgress(validator: "tag")
    }
    let file = try PartialFile(path: path, subject: subject)
    #expect(file.missing == [60..<100, 300..<1000] && file.validator == "tag" && file.bytesPresent == 260)
    try put(file, 60..<100)
    try put(file, 300..<1000)
    #expect(!folder.names.contains("file"))
    try file.finish()
    try file.recordProgress()
    #expect(folder.names == ["file"] && folder.read("file") == (0..<1000).map { UInt8(truncatingIfNeeded: $0) })
  }

  @Test func otherContentStartsAgain() throws {
    do {
      let file = try PartialFile(path: path, subject: subject)
      try put(file, 0..<500)
      try file.recordProgress()
    }
    for other in [PartialFile.Subject(bytes: 1000, identity: "sha256:y"), .init(bytes: 999, identity: "sha256:x")] {
      let copy = folder.path + "/copy"
      try? FileManager.default.removeItem(atPath: copy + ".part")
      try FileManager.default.copyItem(atPath: path + ".part", toPath: copy + ".part")
      folder.write(folder.read("file.part.json"), "copy.part.json")
      let file = try PartialFile(path: copy, subject: other)
      #expect(file.bytesPresent == 0 && folder.read("copy.part").isEmpty)
    }
    let file = try PartialFile(path: path, subject: subject)
    #expect(file.bytesPresent == 500)
    try file.restart()
    #expect(
      file.missing == [0..<1000] && folder.names.contains("file.part") && !folder.names.contains("file.part.json"))
    try file.discard()
    try file.recordProgress()
    #expect(folder.names.filter { $0.hasPrefix("file") } == [])
  }

  /// A journal that says too much, or nonsense, is worth nothing.
  @Test(arguments: [
    "", "{", "[]", "{\"bytes\":1000,\"identity\":\"sha256:x\"}",
    "{\"bytes\":1000,\"identity\":\"sha256:x\",\"have\":[[0,501]]}",
    "{\"bytes\":1000,\"identity\":\"sha256:x\",\"have\":[[-5,5]]}",
    "{\"bytes\":1000,\"identity\":\"sha256:x\",\"have\":[[5,5]]}",
    "{\"bytes\":1000,\"identity\":\"sha256:x\",\"have\":[[9,5]]}",
    "{\"bytes\":1000,\"identity\":\"sha256:x\",\"have\":[[0,1e300]]}",
    "{\"bytes\":1000,\"identity\":\"sha256:x\",\"have\":[[0,1,2]]}",
    "{\"bytes\":1000,\"identity\":\"sha256:x\",\"have\":[5]}",
  ])
  func hostileJournals(_ journal: String) throws {
    folder.write([UInt8](repeating: 1, count: 500), "file.part")
    folder.write(Array(journal.utf8), "file.part.json")
    #expect(try PartialFile(path: path, subject: subject).bytesPresent == 0)
    folder.write([UInt8](repeating: 1, count: 500), "file.part")
    folder.write(Array("{\"bytes\":1000,\"identity\":\"sha256:x\",\"have\":[[0,500]]}".utf8), "file.part.json")
    #expect(try PartialFile(path: path, subject: subject).bytesPresent == 500)
  }

  @Test func foldersAreEmptiedButLinksAreNotFollowed() throws {
    let store = ModelStore(root: folder.path + "/models")
    let precious = folder.write([1, 2, 3], "precious")
    let downloads = try store.openDownloads("org--name") {}
    try FileManager.default.createSymbolicLink(atPath: downloads.path(of: "link"), withDestinationPath: precious)
    try FileManager.default.createSymbolicLink(atPath: downloads.path(of: "folder"), withDestinationPath: folder.path)
    folder.write([1], "models/downloads/org--name/old.json")
    folder.write([1], "models/downloads/org--name/a.part")
    try downloads.removeFiles(except: ["link"])
    #expect(try Set(FileManager.default.contentsOfDirectory(atPath: downloads.path)) == ["link", "a.part"])
    // Somebody is at work there.
    #expect(try store.removeDownloads() == 0)
    #expect(FileManager.default.fileExists(atPath: downloads.path(of: "a.part")))
    try downloads.remove(["link"])
    #expect(FileManager.default.fileExists(atPath: downloads.path))
    try downloads.remove(["a.part"])
    #expect(!FileManager.default.fileExists(atPath: downloads.path))
    #expect(folder.read("precious") == [1, 2, 3])
  }

  @Test func abandonedDownloadsGo() throws {
    let store = ModelStore(root: folder.path + "/models")
    let path = try store.openDownloads("org--name") {}.path
    folder.write([UInt8](repeating: 1, count: 5000), "models/downloads/org--name/a.part")
    folder.write([1], "models/downloads/org--name/.incoming-0000000000000000")
    // The next one at work sweeps what a killed process was about to name.
    _ = try store.openDownloads("org--name") {}
    #expect(try FileManager.default.contentsOfDirectory(atPath: path) == ["a.part"])
    #expect(try store.removeDownloads() >= 5000 && !FileManager.default.fileExists(atPath: path))
  }
}
