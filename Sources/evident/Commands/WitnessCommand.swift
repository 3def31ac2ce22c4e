import ArgumentParser
import Digests
import Foundation
import Logging
import Networking
import ServiceLifecycle
import Transparency
import TransparencyLog
import UnixSignals
import Witness
import WitnessServer

struct WitnessCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "witness",
    abstract: "Cosigns the checkpoints of public logs that only grow (C2SP tlog-witness).",
    discussion: """
      A log sends POST /add-checkpoint; monitors read GET /HASH/checkpoint, HASH
      being the SHA-256 of the log's name. The first start makes a key; every start
      prints the line that goes into a policy file, where you choose NAME:

        evident witness --name witness.example/w1 --log VKEY

      The folder holds the key and the last checkpoint of each log. They belong
      together: never restore it from a copy and never run two of it, or the
      witness could cosign two histories.
      """)

  @Option(help: "The key's name, such as a domain and a path without scheme; needed on the first start.")
  var name: String?
  @Option(help: ArgumentHelp("A log's verifier key; may be repeated.", valueName: "vkey")) var log: [String] = []
  @Option(help: ArgumentHelp("A policy file whose log lines count.", valueName: "file"), completion: .file())
  var policy: String?
  @Option(
    help: ArgumentHelp("Where key and records are kept (default: witness in EVIDENT_STATE).", valueName: "folder"),
    completion: .directory)
  var folder: String?
  @Option(help: "Address to listen on (EVIDENT_HOST; default 127.0.0.1).") var host: String?
  @Option(help: "Port; 0 lets the system choose.") var port: Int = 8464

  func validate() throws {
    guard (0...65535).contains(port) else { throw ValidationError("--port must be between 0 and 65535") }
    guard !log.isEmpty || policy != nil else { throw ValidationError("give logs with --log VKEY or --policy FILE") }
  }

  func run() async throws {
    let settings = try await Settings()
    let folder = folder ?? settings.stateFolder + "/witness"
    let logs = try WitnessCommand.logs(log, policy: policy)
    let keyPath = folder + "/witness.key"
    guard FileManager.default.fileExists(atPath: keyPath) || !WitnessCommand.hasRecords(folder) else {
      throw CommandFailure(
        "there are records of a witness in \(folder), and not its key \(keyPath)",
        hint: "restore the key; if it is lost, begin with a new --name and --folder")
    }
    let key = try NoteKeyFile.cosigner(path: keyPath, name: name)
    let storage: POSIXStorage
    do { storage = try POSIXStorage(root: folder) } catch {
      throw CommandFailure(
        "cannot \(error.action) \(error.path): \(error.reason)",
        hint: error.isInUse
          ? "each witness needs a folder of its own; choose one with --folder"
          : "check the disk and the folder's permissions, or choose another with --folder")
    }
    // C2SP: a cosignature's time is never 0.
    let witness = try Witness(signer: key, logs: logs, storage: storage) {
      UInt64(max(1, Date().timeIntervalSince1970))
    }
    LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
    var logger = Logger(label: "evident.witness")
    logger.logLevel = settings.string("logLevel").flatMap(Logger.Level.init(rawValue:)) ?? .notice
    let host = host ?? settings.string("host") ?? "127.0.0.1"
    let server = WitnessApplication(
      records: witness.records, witness: witness, host: host, port: port, logger: logger
    ) { port in
      let url = ServerAddress(host: host, port: port).url
      Terminal.write(
        """
        Witness \(key.verifierKey.name) on \(url), for \(logs.count) log\(logs.count == 1 ? "" : "s")
        witness NAME \(key.verifierKey) \(url)

        """)
    }
    var configuration = ServiceGroupConfiguration(
      services: [server], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    // Whoever has begun a request and does not end it holds up nobody.
    configuration.maximumGracefulShutdownDuration = .seconds(5)
    do { try await ServiceGroup(configuration: configuration).run() } catch {
      throw ListenFailure(error, host, port) ?? error
    }
  }

  /// Whether a witness has kept something in the folder: each log has a folder of 64 hex digits there.
  private static func hasRecords(_ folder: String) -> Bool {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? [])
      .contains { name in name.utf8.count == 64 && Hex.bytes(name) != nil }
  }

  private static func logs(_ vkeys: [String], policy path: String?) throws -> [WitnessedLog] {
    var policies: [TrustPolicy] = []
    if let path { policies.append(try PolicyFile.read(path)) }
    // As lines of a policy: the same rules about keys.
    let lines = policies.flatMap { $0.logs.map { "log \($0.key)\n" } } + vkeys.map { "log \($0)\n" }
    do {
      let logs = WitnessedLog.logs(of: try TrustPolicy(parsing: Array((lines.joined() + "quorum none\n").utf8)))
      guard !logs.isEmpty else {
        throw CommandFailure("the policy names no log", hint: "add lines such as: log VKEY, or give --log VKEY")
      }
      return logs
    } catch let rejection as PolicyRejection {
      throw CommandFailure(
        "a log cannot be witnessed: \(rejection.reasonText)",
        hint: "a log's verifier key looks like name+1234abcd+AQ…; the log prints it when it starts")
    }
  }
}
