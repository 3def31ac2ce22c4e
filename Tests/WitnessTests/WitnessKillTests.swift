import Foundation
import TestSupport
import Testing
import Transparency
import TransparencyLog
import Witness
import witness_helper

/// A process that cosigns is killed again and again.
@Suite struct WitnessKillTests {
  /// Beside the test bundle.
  private static func helper() throws -> URL {
    let own = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return URL(fileURLWithPath: own).deletingLastPathComponent().appendingPathComponent("witness-helper")
  }

  @Test func thereAreNeverTwoHistories() throws {
    let seed = TestFiles.environment("EVIDENT_SEED").flatMap { UInt64($0) } ?? .random(in: 0...UInt64.max)
    print("kill: EVIDENT_SEED=\(seed)")
    var random = SplitMix64(seed: seed)
    let folder = TemporaryFolder()
    let kills = TestFiles.environment("EVIDENT_KILLS").flatMap { Int($0) } ?? 200
    var histories: [UInt64: History] = [:]
    var cosigned = 0
    for round in 0..<kills {
      for line in try run(folder.path, round, milliseconds: Double(random.next() % 60)) where line != "opened" {
        let words = line.split(separator: " ").map(String.init)
        try #require(words.count == 4 && words[0] == "cosigned", "\(line)")
        let number = try #require(UInt64(words[1]))
        histories[number, default: History(number)].add(try #require(UInt64(words[2])), words[3])
        cosigned += 1
      }
      // The records are of the same histories, and not behind what was given out.
      let storage = try POSIXStorage(root: folder.path)
      for number in histories.keys {
        let origin = ByteText("log.example/forks-\(number)")
        let bytes = try #require(try storage.read(WitnessedLog.hash(of: origin) + "/checkpoint"))
        let record = try SignedCheckpoint(parsing: bytes).checkpoint
        #expect(record.size >= histories[number]!.sizeMax, "seed \(seed), round \(round)")
        histories[number]!.add(record.size, record.root.base64)
      }
      for history in histories.values { history.check("seed \(seed), round \(round)") }
    }
    print("kill: \(kills) kills, \(cosigned) cosignatures of \(histories.count) logs")
    #expect(cosigned > 2 * kills && histories.count >= kills / 4)
  }

  /// What was cosigned of one log.
  private struct History {
    private let log: ForkingLog
    private var roots: [UInt64: Set<String>] = [:]

    init(_ number: UInt64) { log = ForkingLog(number: number) }

    var sizeMax: UInt64 { roots.keys.max() ?? 0 }

    mutating func add(_ size: UInt64, _ root: String) { roots[size, default: []].insert(root) }

    /// One root of each size, and each checkpoint the beginning of the next.
    func check(_ message: String) {
      var before: Set<Int>?
      for (size, found) in roots.sorted(by: { $0.key < $1.key }) {
        #expect(found.count == 1, "log \(log.number) has two roots of size \(size); \(message)")
        let branches = log.branches(size: size, root: found.first ?? "")
        #expect(!branches.isEmpty, "\(message)")
        if let before { #expect(!before.isDisjoint(with: branches), "log \(log.number) size \(size); \(message)") }
        before = branches
      }
    }
  }

  /// Lets the helper work, kills it, and returns its complete lines.
  private func run(_ folder: String, _ round: Int, milliseconds: Double) throws -> [String] {
    // In seven of eight rounds it has begun to work by then.
    let killed = try KilledProcess(
      Self.helper(), [folder, String(round)], output: folder + ".output", awaitsOutput: round % 8 != 0,
      milliseconds: milliseconds)
    try #require(killed.wasKilled)
    return killed.lines
  }
}

/// A folder that is removed with this.
final class TemporaryFolder {
  let path = FileManager.default.temporaryDirectory.appending(path: "evident-witness-\(UUID().uuidString)").path()
  deinit { try? FileManager.default.removeItem(atPath: path) }
}
