import Transparency
import TransparencyLog

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Appends batches to a log until it is killed, and prints what it has promised: a process that tests can kill.
@main
struct Main {
  static func main() throws {
    guard CommandLine.arguments.count == 3, let round = Int(CommandLine.arguments[2]) else {
      fatalError("usage: transparency-log-helper FOLDER ROUND")
    }
    let storage = try POSIXStorage(root: CommandLine.arguments[1])
    let signer = try NoteSigner(name: "log.example/killed", seed: [UInt8](repeating: 6, count: 32))
    let index = try SQLiteLeafIndex(path: storage.indexPath)
    var sequencer = try Sequencer(storage: storage, index: index, signer: signer)
    var published = try PublishedCheckpoint(
      storage: storage, log: signer.verifierKey, latest: sequencer.latest.checkpoint)
    say("opened \(sequencer.size) \(sequencer.latest.checkpoint.root)")
    var batch = 0
    while true {
      // Sizes that end in the middle of a bundle, at its end, and beyond the next; some entries are old ones.
      let count = [1, 3, 100, 255, 256, 300, 17][(batch + round) % 7]
      let names = (0..<count).map { "round \(round) batch \(batch) entry \($0 % 290)" }
      let placed = try sequencer.append(names.map { Array($0.utf8) })
      for (name, entry) in zip(names, placed) { say("logged \(entry.index) \(name)") }
      say("checkpoint \(sequencer.size) \(sequencer.latest.checkpoint.root)")
      // At some distance, as with witnesses.
      if batch % 3 == 0 { try published.publish(sequencer.latest) }
      batch += 1
    }
  }

  /// Unbuffered: what is said has been said when the process dies.
  private static func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    guard write(STDOUT_FILENO, bytes, bytes.count) == bytes.count else { fatalError("cannot write to the output") }
  }
}
