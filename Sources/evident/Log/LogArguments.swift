import ArgumentParser
import Foundation
import Logging
import Networking
import Receipts
import Server
import Transparency
import TransparencyLog

/// What `evident serve` and `evident log serve` have in common about a log.
struct LogArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "Milliseconds between two batches of entries, unless 256 wait (EVIDENT_BATCH_INTERVAL; default 500).",
      valueName: "ms"))
  var batchInterval: Int?

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

  /// The key in a file, made first when neither it nor its log is there.
  static func signer(_ path: String, ofLogIn folder: String, origin: String?) throws -> NoteSigner {
    let files = FileManager.default
    if !files.fileExists(atPath: path),
      [".latest", "checkpoint"].contains(where: { files.fileExists(atPath: "\(folder)/\($0)") })
    {
      throw CommandFailure(
        "there is a log in \(folder), and not its key \(path)",
        hint:
          "restore the key, or name it (EVIDENT_LOG_KEY, or --key of evident log); a new log needs a folder of its own")
    }
    return try LogKeyFile.loadOrCreate(path: path, origin: origin)
  }

  /// Opens a log's folder for this process.
  ///
  /// - Parameter policyPath: of the log's own policy; nil publishes checkpoints at once.
  static func open(
    folder: String, signer: NoteSigner, admission: Admission, policyPath: String?, client: HTTPConnections,
    options: LogOptions, logger: Logger
  ) throws -> LogService<POSIXStorage> {
    let policy = try policyPath.map { try PolicyFile.log($0, key: signer.verifierKey) }
    do {
      let storage = try POSIXStorage(root: folder)
      let index = try SQLiteLeafIndex(path: storage.indexPath)
      let witnesses = policy.map { WitnessLinks(policy: $0, client: client).links } ?? []
      let service = try LogService(
        storage: storage, index: index, signer: signer, admission: admission, policy: policy, witnesses: witnesses,
        options: options
      ) { logger.log(level: $0.isTrouble ? .error : .notice, "\($0)") }
      if policy == nil, let cosigned = service.view.published, cosigned.note.signatures.count > 1 {
        Terminal.note("warning: witnesses have cosigned the log in \(folder); without its policy they are not asked")
      }
      return service
    } catch let failure as LogFailure {
      throw CommandFailure("the log in \(folder) cannot be opened: \(failure)")
    } catch let failure as StorageFailure {
      throw CommandFailure(
        "the log in \(folder) cannot be opened: \(failure)",
        hint: failure.isInUse
          ? "of two servers one may have the log and the other --log-url, --log-dir or --no-log" : nil)
    }
  }
}
