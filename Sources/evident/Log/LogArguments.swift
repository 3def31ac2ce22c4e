import ArgumentParser
import Foundation
import Networking
import Receipts
import Server
import Transparency
import TransparencyLog

/// What `evident serve` and `evident log serve` have in common about a log.
struct LogArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Milliseconds between two batches of entries (EVIDENT_BATCH_INTERVAL; default 500).", valueName: "ms"))
  var batchInterval: Int?

  /// - Returns: nil without one: then checkpoints are published at once.
  static func policy(_ path: String?) throws -> TrustPolicy? { try path.map(policy) }

  static func policy(_ path: String) throws -> TrustPolicy {
    guard let file = FileHandle(forReadingAtPath: path), let data = try file.read(upToCount: TrustPolicy.bytesMax + 1)
    else { throw CommandFailure("the policy \(path) cannot be read", hint: "it is a tlog-policy file") }
    do { return try TrustPolicy(parsing: Array(data)) } catch {
      throw CommandFailure("\(path): \(error)", hint: "the format is C2SP tlog-policy")
    }
  }

  func options(_ settings: Settings) throws -> LogOptions {
    var options = LogOptions()
    if let given = try batchInterval ?? settings.integer("batchInterval", 1...60_000) {
      guard (1...60_000).contains(given) else {
        throw ValidationError("--batch-interval is \(given); it must be between 1 and 60000")
      }
      options.batchInterval = .milliseconds(given)
    }
    return options
  }

  /// Opens a log's folder for this process.
  static func open(
    folder: String, signer: NoteSigner, admission: Admission, policy: TrustPolicy?, client: HTTPConnections,
    options: LogOptions
  ) throws -> LogService<POSIXStorage> {
    do {
      let storage = try POSIXStorage(root: folder)
      let index = try SQLiteLeafIndex(path: storage.indexPath)
      let witnesses = policy.map { WitnessLinks(policy: $0, client: client).links } ?? []
      return try LogService(
        storage: storage, index: index, signer: signer, admission: admission, policy: policy, witnesses: witnesses,
        options: options)
    } catch let failure as LogFailure {
      throw CommandFailure("the log in \(folder) cannot be opened: \(failure)")
    } catch let failure as StorageFailure {
      throw CommandFailure(
        "the log in \(folder) cannot be opened: \(failure)",
        hint: "of two servers one may have the log and the other --log-url, --log-dir or --no-log")
    }
  }
}
