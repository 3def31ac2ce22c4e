import Transparency
import TransparencyLog
import Witness

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// Offers a witness every history of a log that forks, from several threads, until it is killed, and prints what was
/// cosigned: a process that tests can kill.
@main
struct Main {
  static func main() throws {
    guard CommandLine.arguments.count == 3, let round = UInt64(CommandLine.arguments[2]) else {
      fatalError("usage: witness-helper FOLDER ROUND")
    }
    let storage = try POSIXStorage(root: CommandLine.arguments[1])
    let signer = try CosignatureSigner(name: "w.example/killed", seed: [UInt8](repeating: 9, count: 32))
    // Logs of which nothing is cosigned yet come in every few rounds: their first records are written here.
    let names = (0..<3).map { ForkingLog(number: $0 + round / 4) }
    let lines = names.map { "log \($0.signer.verifierKey)\n" }.joined()
    let policy = try TrustPolicy(parsing: Array((lines + "quorum none\n").utf8))
    let time = UInt64(time(nil))
    let witness = try Witness(signer: signer, logs: WitnessedLog.logs(of: policy), storage: storage) { time }
    say("opened")
    for thread in 0..<UInt64(4) {
      Task.detached { try work(witness, names, round &* 4 &+ thread) }
    }
    while true { sleep(1000) }
  }

  private static func work(_ witness: Witness<POSIXStorage>, _ logs: [ForkingLog], _ seed: UInt64) throws {
    var random = seed &* 0x9E37_79B9_7F4A_7C15 | 1
    func draw(_ below: UInt64) -> UInt64 {
      random ^= random << 13
      random ^= random >> 7
      random ^= random << 17
      return random % below
    }
    while true {
      let log = logs[Int(draw(UInt64(logs.count)))]
      let branch = Int(draw(UInt64(ForkingLog.branches)))
      let old = try witness.records.checkpoint(of: log.signer.verifierKey.name)?.checkpoint.size ?? 0
      let new = min(old + draw(5), ForkingLog.sizeMax)
      let request = try log.request(branch: branch, from: old, to: new)
      do throws(AddCheckpointError) {
        _ = try witness.addCheckpoint(request)
        let checkpoint = request.signed.checkpoint
        say("cosigned \(log.number) \(checkpoint.size) \(checkpoint.root)")
      } catch {
        // Inconsistent with what was cosigned, or another thread was faster; no disk fails here.
        if case .failed(let failure) = error { fatalError(failure.description) }
      }
    }
  }

  /// Unbuffered, in one piece: what is said has been said when the process dies.
  private static func say(_ line: String) {
    let bytes = Array((line + "\n").utf8)
    guard write(STDOUT_FILENO, bytes, bytes.count) == bytes.count else { fatalError("cannot write to the output") }
  }
}
