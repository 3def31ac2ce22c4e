import ArgumentParser
import Digests
import Foundation
import Inference
import Logging
import ModelFiles
import Networking
import Node
import Receipts
import Server
import ServiceLifecycle
import UnixSignals

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Serves the OpenAI API; every answer has a receipt.",
    discussion: "Ctrl-C stops accepting requests, lets running answers finish, and ends.")

  @Argument(help: "A model's name, digest or .pack file (EVIDENT_MODEL).") var model: String?
  @Option(help: "Address to listen on (EVIDENT_HOST; default 127.0.0.1).") var host: String?
  @Option(help: "Port; 0 lets the system choose (EVIDENT_PORT; default 8462).") var port: Int?
  @Option(
    help: ArgumentHelp(
      "How long openings are kept so that callers can fetch evidence, in seconds or like 90s, 15m, 24h, 7d; 0 = never (EVIDENT_RETAIN; default 24h).",
      valueName: "time"))
  var retain: String?
  @Option(help: "Requests running or waiting before more are answered with 429 (EVIDENT_MAX_QUEUE; default 64).")
  var maxQueue: Int?
  @Option(
    help: ArgumentHelp(
      "MiB of keys and values kept for prompts that begin alike; 0 = off, then no timing tells what others asked (EVIDENT_PREFIX_CACHE; default 256).",
      valueName: "MiB"))
  var prefixCache: Int?
  @Option(
    help: ArgumentHelp(
      "The most tokens of an answer to guess ahead where its text repeats; changes no answer, 0 = off (EVIDENT_DRAFT_TOKENS; default \(SchedulerOptions.draftTokensDefault)).",
      valueName: "n"))
  var draftTokens: Int?
  @Option(help: "Seconds that running answers may take to finish after Ctrl-C (EVIDENT_DRAIN; default 30).")
  var drain: Int?
  @OptionGroup var recorded: RecordArguments
  @OptionGroup var engine: EngineArguments

  func run() async throws {
    let settings = try await Settings()
    try recorded.check(settings)
    var options = ServerOptions()
    if let host = host ?? settings.string("host") { options.host = host }
    if let port = try checked(port, "port", 0...65535) ?? settings.integer("port", 0...65535) { options.port = port }
    if let queue = try checked(maxQueue, "max-queue", 1...100_000) ?? settings.integer("maxQueue", 1...100_000) {
      options.queueMax = queue
    }
    if let drain = try checked(drain, "drain", 1...3600) ?? settings.integer("drain", 1...3600) {
      options.drainSecondsMax = drain
    }
    var scheduling = SchedulerOptions(queueMax: options.queueMax)
    if let mebibytes = try checked(prefixCache, "prefix-cache", 0...1 << 20)
      ?? settings.integer("prefixCache", 0...1 << 20)
    {
      scheduling.prefixCacheBytesMax = mebibytes << 20
    }
    if let count = try checked(draftTokens, "draft-tokens", 0...64) ?? settings.integer("draftTokens", 0...64) {
      scheduling.draftTokensMax = count
      scheduling.draftRowsPerStep = max(scheduling.draftRowsPerStep, 1 + count)
    }
    if let text = retain ?? settings.string("retain") {
      options.retainSeconds = try ServeCommand.seconds(text, for: "retention")
    }

    LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
    var logger = Logger(label: "evident")
    logger.logLevel = (settings.string("logLevel")).flatMap(Logger.Level.init(rawValue:)) ?? .notice

    let name = model ?? settings.string("model") ?? EmbeddedModel.name
    let served = try Waiting.during("loading \(name)") {
      let loaded = try ModelStore(root: settings.modelsFolder).open(name, checkingDigests: false)
      return try ServedModel(name: name, model: loaded, options: engine.options(settings))
    }
    let key = try NodeKey.loadOrCreate(path: settings.nodeKeyFile)
    let store = try ReceiptStore(path: settings.stateFolder + "/receipts.sqlite")
    let retainSeconds = options.retainSeconds
    let history = KeyHistoryFolder(path: settings.keyHistoryFolder)
    let keys = try history.keys().union([key.signing.publicKey])
    let record = try Record(recorded, settings, nodes: keys, store: store, logger: logger)
    do { try await record.checkRemote() } catch {
      await record.shutdown()
      throw error
    }
    let node = try Node(
      model: served, key: key.signing, scheduling: scheduling, promise: record.promise,
      keep: { answer in
        let logs = answer.receipt.claim.promise != nil
        try await store.keep(answer, retainSeconds: retainSeconds, logs: logs)
        if logs { record.logging?.wake() }
      })
    node.keyHistory = try history.logged()
    let keyLogging = record.logClient.map {
      KeyHistoryLogging(folder: history, log: $0, admission: record.admission, node: node, logger: logger)
    }
    let host = options.host
    let server = ServerApplication(node: node, store: store, log: record.log, options: options, logger: logger) {
      port in
      ServeCommand.announce(
        name: name, digest: served.digestText, host: host, port: port, key: node.publicKeyHex, record: record)
    }
    var configuration = ServiceGroupConfiguration(
      services: record.services + (keyLogging.map { [$0] } ?? []) + [server],
      gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    configuration.maximumGracefulShutdownDuration = .seconds(options.drainSecondsMax)
    do { try await ServiceGroup(configuration: configuration).run() } catch {
      await node.shutdown()
      await record.shutdown()
      throw ListenFailure(error, host, options.port) ?? error
    }
    await node.shutdown()
    await record.shutdown()
    try store.close()
  }

  private func checked(_ value: Int?, _ flag: String, _ range: ClosedRange<Int>) throws -> Int? {
    guard let value else { return nil }
    guard range.contains(value) else {
      throw ValidationError("--\(flag) is \(value); it must be between \(range.lowerBound) and \(range.upperBound)")
    }
    return value
  }

  /// Seconds, or a number with one of s, m, h, d.
  static func seconds(_ text: String, for what: String = "a deadline") throws -> Int {
    let units: [Character: Int] = ["s": 1, "m": 60, "h": 3600, "d": 86_400]
    let unit = text.last.flatMap { units[$0] }
    let number = unit == nil ? text : String(text.dropLast())
    guard let value = Int(number), (0...1_000_000_000).contains(value) else {
      throw CommandFailure("\"\(text)\" is not a time for \(what)", hint: "write seconds, or 90s, 15m, 24h, 7d")
    }
    return value * (unit ?? 1)
  }

  private static func announce(name: String, digest: String, host: String, port: Int, key: String, record: Record) {
    let url = ServerAddress(host: host, port: port).url
    Terminal.write(
      """
      Serving \(name) (\(digest)) on \(url)
      Node key \(key)
      \(record.announcement(url))

        curl \(url)/v1/chat/completions -H 'Content-Type: application/json' -d '{"model": "\(name)", "messages": [{"role": "user", "content": "What is Evident?"}]}'

        from openai import OpenAI
        client = OpenAI(base_url="\(url)/v1", api_key="none")
        print(client.chat.completions.create(model="\(name)", messages=[{"role": "user", "content": "What is Evident?"}]))


      """)
  }
}
