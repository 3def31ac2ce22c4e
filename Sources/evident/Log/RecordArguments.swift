import ArgumentParser
import Logging
import Networking
import Node
import Receipts
import Server
import ServiceLifecycle
import Transparency
import TransparencyLog

/// Where `evident serve` logs its receipts.
struct RecordArguments: ParsableArguments {
  @Flag(help: "Log nothing; receipts promise nothing.") var noLog = false
  @Option(
    help: ArgumentHelp(
      "The folder of the log under /log (EVIDENT_LOG_DIR; default log among the state).", valueName: "folder"),
    completion: .directory)
  var logDir: String?
  @Option(help: ArgumentHelp("Another log instead, at this URL (EVIDENT_LOG_URL).", valueName: "url")) var logUrl:
    String?
  @Option(help: ArgumentHelp("The public key of the log at --log-url (EVIDENT_LOG_VKEY).", valueName: "vkey"))
  var logVkey: String?
  @Option(
    help: ArgumentHelp(
      "The name of the log under /log (default evident.local/log/ and 8 digits of its key).", valueName: "name"))
  var logOrigin: String?
  @Option(
    help: ArgumentHelp(
      "The policy of the log under /log: which witnesses cosign before a checkpoint is published (EVIDENT_LOG_POLICY).",
      valueName: "file"), completion: .file())
  var logPolicy: String?
  @Option(
    help: ArgumentHelp(
      "How soon a receipt is in the log, as each promises; in seconds or like 24h (EVIDENT_LOG_WITHIN; default 24h).",
      valueName: "time"))
  var logWithin: String?
  @OptionGroup var log: LogArguments

  /// Flags that say something about the log under /log.
  private var ofOwnLog: [String] {
    let given = [
      ("--log-dir", logDir), ("--log-origin", logOrigin), ("--log-policy", logPolicy),
      ("--batch-interval", log.batchInterval.map(String.init)),
    ]
    return given.filter { $0.1 != nil }.map(\.0)
  }

  /// Flags that say something about a log somewhere else.
  private var ofOtherLog: [String] {
    [("--log-url", logUrl), ("--log-vkey", logVkey)].filter { $0.1 != nil }.map(\.0)
  }

  /// A flag that would be ignored beside another is a mistake.
  func validate() throws {
    let others = ofOtherLog + ofOwnLog + (logWithin == nil ? [] : ["--log-within"])
    if noLog, let other = others.first {
      throw ValidationError("--no-log and \(other) contradict each other: without a log there is nothing to set")
    }
    if let other = ofOtherLog.first, let own = ofOwnLog.first {
      throw ValidationError(
        "\(other) and \(own) contradict each other: receipts go to one log, another one or the one under /log")
    }
  }

  /// The same of flags that settings can stand in for.
  func check(_ settings: Settings) throws {
    if logVkey != nil, otherLog(settings) == nil {
      throw ValidationError("--log-vkey is the key of another log, whose address is missing: give --log-url")
    }
  }

  /// The address of a log somewhere else. A flag that names the log under /log outweighs a setting.
  func otherLog(_ settings: Settings) -> String? {
    let namesOwn = [logDir, logOrigin, logPolicy].contains { $0 != nil }
    return logUrl ?? (namesOwn ? nil : settings.string("logUrl"))
  }

  /// Whether nothing is logged. Any flag about a log outweighs the setting.
  func logsNothing(_ settings: Settings) -> Bool {
    noLog || settings.string("log") == "none" && ofOwnLog.isEmpty && ofOtherLog.isEmpty
  }
}

/// The log of a running server, and what keeps it going.
struct Record: Sendable {
  let log: ServedLog
  let logging: ReceiptLogging?
  /// What receipts say about it.
  let promise: LogPromise?
  /// Of the log that is part of the server.
  let admission: Admission?
  private let client: HTTPConnections?

  init(
    _ arguments: RecordArguments, _ settings: Settings, nodes: Set<NodePublicKey>, store: ReceiptStore, logger: Logger
  ) throws {
    if arguments.logsNothing(settings) {
      (log, logging, client, promise, admission) = (.none, nil, nil, nil, nil)
      return
    }
    let within = try ServeCommand.seconds(arguments.logWithin ?? settings.string("logWithin") ?? "24h")
    guard within >= 60 else {
      throw CommandFailure(
        "--log-within is \(within) s; a promise so short is broken by any restart", hint: "60 s or more; 24h is usual")
    }
    if let url = arguments.otherLog(settings) {
      guard let text = arguments.logVkey ?? settings.string("logVkey") else {
        throw CommandFailure(
          "the log at \(url) needs its public key", hint: "give it with --log-vkey; `evident log key` prints it there")
      }
      let key: NoteVerifierKey
      do { key = try NoteVerifierKey(text) } catch { throw CommandFailure("--log-vkey: \(error)") }
      guard key.kind == .ed25519 else {
        throw CommandFailure("--log-vkey is not a log's key", hint: "its type is 0x01")
      }
      let remote = try RemoteLog(url: url, key: key)
      (log, client, admission) = (.remote(remote), nil, nil)
      logging = ReceiptLogging(store: store, log: remote, logger: logger)
      promise = LogPromise(log: key, withinSeconds: within)
      return
    }
    let client = try WitnessLinks.makeClient()
    let folder = arguments.logDir ?? settings.logFolder
    let signer = try LogArguments.signer(
      settings.logKeyFile(ofLogIn: folder), ofLogIn: folder, origin: arguments.logOrigin)
    // Only this node's own statements, by whichever of its keys: whoever reaches the server cannot fill its disk.
    let admission = Admission(.only(nodes), entriesPerSecond: nil)
    let service = try LogArguments.open(
      folder: folder, signer: signer, admission: admission,
      policyPath: arguments.logPolicy ?? settings.string("logPolicy"),
      client: client, options: arguments.log.options(settings), logger: logger)
    self.admission = admission
    (log, self.client) = (.embedded(service), client)
    logging = ReceiptLogging(store: store, log: service, logger: logger)
    promise = LogPromise(log: service.key, withinSeconds: within)
  }

  /// Refuses a log somewhere else that is not the one that receipts would promise; one that is away may come back.
  func checkRemote() async throws {
    guard case .remote(let remote) = log else { return }
    do { _ = try await remote.publishedSize() } catch let rejection as CheckpointRejection {
      throw CommandFailure(
        "the log at \(remote.url) is not the one of --log-vkey: \(rejection)",
        hint: "receipts would promise what nobody keeps; compare with what evident log key prints there")
    } catch {}
  }

  /// In the order of their start; they end in the opposite one.
  var services: [any Service] {
    var services: [any Service] = []
    if let embedded = log.embedded { services.append(LogRunner(embedded)) }
    if let logging { services.append(logging) }
    return services
  }

  var logClient: (any LogClient)? {
    switch log {
    case .embedded(let service): service
    case .remote(let remote): remote
    case .none: nil
    }
  }

  func announcement(_ url: String) -> String {
    switch log {
    case .embedded(let log): "Log \(url)/log, key \(log.key)"
    case .remote(let log): "Log \(log.url), key \(log.key)"
    case .none: "No log: receipts promise nothing"
    }
  }

  func shutdown() async {
    await client?.shutdown()
    if case .remote(let remote) = log { await remote.shutdown() }
  }
}
