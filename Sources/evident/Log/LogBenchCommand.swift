import ArgumentParser
import Digests
import Foundation
import Logging
import Networking
import Server
import Synchronization
import Transparency
import TransparencyLog

struct LogBenchCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bench", abstract: "Measures a log with signed statements made for it.",
    discussion: """
      With --dir the log's service runs in this process; every entry is checked as if
      it came from outside. With --url entries are posted to a running log, which
      must admit them: evident log serve --rate 0.
      """,
    shouldDisplay: false)

  @Option(help: "Work in this folder.", completion: .directory) var dir: String?
  @Option(help: "Post to this log.") var url: String?
  @Option(help: "The secret key of the log in --dir.", completion: .file()) var key: String?
  @Option(help: "Entries to log.") var entries = 50_000
  @Option(help: "Entries that are under way at once.") var parallel = 5000
  @Option(help: "The number of the first entry: others make other statements.") var first = 0
  @OptionGroup var log: LogArguments

  func validate() throws {
    guard (dir == nil) != (url == nil) else { throw ValidationError("give either --dir or --url") }
    guard (1...1_000_000_000).contains(entries), (1...65_536).contains(parallel), first >= 0 else {
      throw ValidationError("--entries, --parallel and --first are out of range")
    }
  }

  func run() async throws {
    let settings = try await Settings()
    if let url {
      // The key is only for reading what the log says, which is not done here.
      let signer = try NoteSigner(name: "bench", seed: Array(repeating: 1, count: 32))
      let remote = try RemoteLog(url: url, key: signer.verifierKey, connections: parallel)
      try await measure(remote)
      return await remote.shutdown()
    }
    guard let dir else { return }
    let client = try WitnessLinks.makeClient()
    let signer = try LogKeyFile.loadOrCreate(path: key ?? settings.logKeyFile(ofLogIn: dir), origin: nil)
    let service = try LogArguments.open(
      folder: dir, signer: signer, admission: Admission(.everyone, entriesPerSecond: nil), policyPath: nil,
      client: client, options: log.options(settings), logger: Logger(label: "evident.bench"))
    let running = Task { try await service.run() }
    try await measure(service)
    service.close()
    try await running.value
    await client.shutdown()
    print("batches        \(service.metrics.batches)")
    print("entries        \(service.metrics.size)")
  }

  /// Makes statements, untimed, and logs them, timed, by the twenty thousand.
  private func measure(_ log: any LogClient) async throws {
    var next = first
    var logging = Duration.zero
    var processor = 0.0
    var waits: [Duration] = []
    while next < first + entries {
      let numbers = next..<min(next + 20_000, first + entries)
      let made = try await BenchStatements.entries(numbers)
      let (start, used) = (ContinuousClock.now, LogBenchCommand.processorSeconds())
      waits += try await submit(made, to: log)
      logging += .now - start
      processor += LogBenchCommand.processorSeconds() - used
      next = numbers.upperBound
    }
    waits.sort()
    let seconds = logging / .seconds(1)
    print("entries/s      \(Int(Double(entries) / seconds))")
    // Whatever else the machine does meanwhile; of this process only.
    print("processor, µs  \(Int(processor / Double(entries) * 1_000_000)) an entry")
    print("answer, ms     p50 \(milliseconds(waits, 0.5))  p99 \(milliseconds(waits, 0.99))")
    print("entry, bytes   \(try await BenchStatements.entries(0..<1)[0].count)")
  }

  /// - Returns: how long each entry took to be durable.
  private func submit(_ made: [[UInt8]], to log: any LogClient) async throws -> [Duration] {
    let left = BenchQueue(made)
    return try await withThrowingTaskGroup(of: [Duration].self) { group in
      for _ in 0..<min(parallel, made.count) {
        group.addTask {
          var waits: [Duration] = []
          while let entry = left.next() {
            let start = ContinuousClock.now
            _ = try await log.submit(entry)
            waits.append(.now - start)
          }
          return waits
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
  }

  private static func processorSeconds() -> Double { Double(clock()) / Double(CLOCKS_PER_SEC) }

  private func milliseconds(_ sorted: [Duration], _ share: Double) -> Int {
    Int(sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))] / .milliseconds(1))
  }
}

/// What several tasks take from.
private final class BenchQueue: Sendable {
  private let left: Mutex<ArraySlice<[UInt8]>>

  init(_ entries: [[UInt8]]) { left = Mutex(entries[...]) }

  func next() -> [UInt8]? { left.withLock { $0.popFirst() } }
}
