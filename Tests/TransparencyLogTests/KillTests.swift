import Foundation
import TestSupport
import Testing
import Transparency
import TransparencyLog

/// A process that writes a log is killed again and again.
@Suite struct KillTests {
  /// Beside the test bundle.
  private static func helper() throws -> URL {
    let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("transparency-log-helper")
  }

  @Test func nothingThatWasPromisedIsLost() throws {
    let seed = ProcessInfo.processInfo.environment["EVIDENT_SEED"].flatMap { UInt64($0) } ?? .random(in: 0...UInt64.max)
    print("kill: EVIDENT_SEED=\(seed)")
    var random = SplitMix64(seed: seed)
    let folder = TemporaryFolder()
    var tiles: [String: [UInt8]] = [:]
    var promised: [UInt64: String] = [:]
    var roots: [String: String] = [:]
    let kills = ProcessInfo.processInfo.environment["EVIDENT_KILLS"].flatMap { Int($0) } ?? 200
    for round in 0..<kills {
      let lines = try run(folder.path, round, milliseconds: Double(random.next() % 60))
      for line in lines {
        let words = line.split(separator: " ", maxSplits: 2).map(String.init)
        if words[0] == "logged" {
          #expect(promised.updateValue(words[2], forKey: try #require(UInt64(words[1]))) ?? words[2] == words[2])
        } else {
          // One size, one root, whatever happened in between.
          #expect(
            roots.updateValue(words[2], forKey: words[1]) ?? words[2] == words[2], "size \(words[1]), seed \(seed)")
        }
      }
      let storage = try POSIXStorage(root: folder.path)
      // What was once there never changes, published or not.
      // Killed early enough, not even the folder is there.
      let paths = (try? FileManager.default.subpathsOfDirectory(atPath: folder.path + "/tile")) ?? []
      for path in paths where (try? TilePath("tile/" + path)) != nil {
        guard let bytes = try storage.read("tile/" + path) else { continue }
        #expect(tiles.updateValue(bytes, forKey: path) ?? bytes == bytes, "\(path), seed \(seed)")
      }
      if try storage.read(".latest") == nil { continue }
      let entries = try Audit.entries(of: storage)
      if try storage.read("checkpoint") != nil {
        let published = try Audit.entries(of: storage, at: "checkpoint")
        #expect(published == Array(entries.prefix(published.count)), "seed \(seed), round \(round)")
      }
      for (index, name) in promised {
        try #require(index < UInt64(entries.count), "seed \(seed), round \(round)")
        #expect(entries[Int(index)] == Array(name.utf8), "seed \(seed), round \(round)")
      }
    }
    print("kill: \(kills) kills, \(promised.count) promises, \(roots.count) checkpoints")
    #expect(promised.count > 5 * kills && roots.count > 10)
  }

  /// Lets the helper work, kills it, and returns its complete lines.
  private func run(_ folder: String, _ round: Int, milliseconds: Double) throws -> [String] {
    // In three of four rounds it has begun to work by then.
    let killed = try KilledProcess(
      Self.helper(), [folder, String(round)], output: folder + ".output", awaitsOutput: round % 4 != 0,
      milliseconds: milliseconds)
    #expect(killed.wasKilled)
    return killed.lines
  }
}
