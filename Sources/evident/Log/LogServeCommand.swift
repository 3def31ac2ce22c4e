import ArgumentParser
import Digests
import Foundation
import Networking
import Logging
import Receipts
import Server
import ServiceLifecycle
import Transparency
import TransparencyLog
import UnixSignals

struct LogServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Serves a log that takes signed statements of nodes.",
    discussion: """
      The folder holds plain files that any web server can serve as well: checkpoint
      and tile/. Ctrl-C writes what is waiting, and ends.
      """)

  @Option(
    help: ArgumentHelp("The log's folder (EVIDENT_LOG_DIR; default log among the state).", valueName: "folder"),
    completion: .directory)
  var dir: String?
  @Option(
    help: ArgumentHelp("The log's name (default evident.local/log/ and 8 digits of the key).", valueName: "name"))
  var origin: String?
  @Option(
    help: ArgumentHelp(
      "The file of the secret key, made at the first start (EVIDENT_LOG_KEY; default the folder's name and .key).",
      valueName: "file"), completion: .file())
  var key: String?
  @Option(help: ArgumentHelp("Address and port; port 0 lets the system choose.", valueName: "host:port"))
  var listen = "127.0.0.1:8463"
  @Option(
    help: ArgumentHelp(
      "The log's own policy, tlog-policy: which witnesses cosign before a checkpoint is published (EVIDENT_LOG_POLICY).",
      valueName: "file"), completion: .file())
  var policy: String?
  @OptionGroup var log: LogArguments
  @Option(
    help: ArgumentHelp(
      "Whose statements are taken: open, or a file with one node's public key a line.", valueName: "open|file"))
  var admit = "open"
  @Option(help: ArgumentHelp("Entries of one node in a second; 0 = no limit.", valueName: "n")) var rate = 100

  func run() async throws {
    let settings = try await Settings()
    guard (0...1_000_000).contains(rate) else {
      throw ValidationError("--rate is \(rate); it must be between 0 and 1000000")
    }
    let (host, port) = try LogServeCommand.address(listen)
    LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
    var logger = Logger(label: "evident-log")
    logger.logLevel = (settings.string("logLevel")).flatMap(Logger.Level.init(rawValue:)) ?? .notice

    let folder = dir ?? settings.logFolder
    let signer = try LogArguments.signer(key ?? settings.logKeyFile(ofLogIn: folder), ofLogIn: folder, origin: origin)
    let admission = Admission(try LogServeCommand.nodes(admit), entriesPerSecond: rate == 0 ? nil : rate)
    let client = try WitnessLinks.makeClient()
    let service = try LogArguments.open(
      folder: folder, signer: signer, admission: admission, policyPath: policy ?? settings.string("logPolicy"),
      client: client, options: log.options(settings), logger: logger)
    let application = LogApplication(log: service, host: host, port: port, logger: logger) { port in
      Terminal.write(
        """
        Log \(signer.verifierKey.name) of \(service.metrics.size) entries on \(ServerAddress(host: host, port: port).url)
        Log key \(signer.verifierKey)

        """)
    }
    // They end in the opposite order: what was taken is written and published, whoever does not end his request.
    var configuration = ServiceGroupConfiguration(
      services: [application, LogRunner(service)], gracefulShutdownSignals: [.sigterm, .sigint], logger: logger)
    configuration.maximumGracefulShutdownDuration = .seconds(10)
    do { try await ServiceGroup(configuration: configuration).run() } catch {
      await client.shutdown()
      throw ListenFailure(error, host, port) ?? error
    }
    await client.shutdown()
  }

  static func nodes(_ admit: String) throws -> Admission.Nodes {
    if admit == "open" { return .everyone }
    guard let data = FileManager.default.contents(atPath: admit), let text = String(data: data, encoding: .utf8) else {
      throw CommandFailure(
        "the list of nodes \(admit) cannot be read", hint: "write open, or a file with one public key a line")
    }
    do { return try Admission.Nodes.parse(text) } catch { throw CommandFailure("\(admit): \(error)") }
  }

  /// `host:port`, an IPv6 address in brackets.
  static func address(_ text: String) throws -> (host: String, port: Int) {
    guard let colon = text.lastIndex(of: ":"), let port = Int(text[text.index(after: colon)...]),
      (0...65535).contains(port), colon > text.startIndex
    else { throw ValidationError("--listen is \"\(text)\"; write host:port, such as 127.0.0.1:8463") }
    let host = text[..<colon]
    return (host.hasPrefix("[") && host.hasSuffix("]") ? String(host.dropFirst().dropLast()) : String(host), port)
  }
}
