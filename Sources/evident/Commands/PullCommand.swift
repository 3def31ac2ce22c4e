import ArgumentParser
import Digests
import Foundation
import Hub
import ModelFiles
import ModelGraph
import Node
import Verification

struct PullCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pull",
    abstract: "Fetches a model from a Hugging Face hub and imports it.",
    discussion: """
      evident pull org/name             the safetensors, or the only GGUF
      evident pull org/name@revision    a branch, a tag or a commit
      evident pull org/name:Q4_K_M      one GGUF, by quantisation or file name

      Stop it with Ctrl-C and run it again: what has arrived is kept. Every file
      is checked against the digest that the hub states. What the Hugging Face
      cache has is not fetched again.

      A model signature (model.sig) in the repository is checked first, as by
      `evident import`: files that are not those that were signed are refused.

      Environment: HF_ENDPOINT, HF_TOKEN, HF_HOME, HF_HUB_CACHE, HF_HUB_OFFLINE,
      HF_HUB_DOWNLOAD_TIMEOUT (seconds without a byte, 30), SSL_CERT_FILE,
      HTTPS_PROXY, NO_PROXY.
      """)

  @Argument(help: ArgumentHelp("What to fetch.", valueName: "org/name[@revision][:file]")) var model: String
  @Option(help: "The name to keep it under (default: the repository's name in lower case).") var name: String?
  @OptionGroup var formats: WeightArguments
  @Option(help: "Connections at the same time, 1 to 32.") var connections = 4
  @Option(help: "Attempts after one that brought nothing, 0 to 100.") var retries = 5
  @Option(help: "Threads for the import; the result does not depend on it.") var threads: Int?
  @Flag(help: "Use only what is on this machine: the store and the Hugging Face cache.") var offline = false
  @Flag(help: "Keep the downloaded files after the import.") var keep = false
  @Option(
    help: ArgumentHelp("A signature on this machine, instead of the one in the repository.", valueName: "file"),
    completion: .file())
  var signature: String?
  @OptionGroup var signers: SignerArguments
  @Flag(help: "Print JSON.") var json = false

  func validate() throws {
    guard (1...32).contains(connections) else { throw ValidationError("--connections must be between 1 and 32") }
    guard (0...100).contains(retries) else { throw ValidationError("--retries must be between 0 and 100") }
  }

  func run() async throws {
    let settings = try await Settings()
    let display = PullDisplay(model: model)
    let threads = try threads ?? settings.integer("threads", 1...256) ?? ImportOptions.processors
    do {
      let reference = try HubReference(model)
      var options = ModelPull.Options(
        importing: ImportOptions(
          threads: threads, weights: formats.layers, head: formats.head?.format,
          progress: { display.importing($0) },
          checkTokenizer: { bytes, size in try ModelText.checkTokenizer(bytes, vocabularySize: size) }))
      options.name = try name.map { try ModelName($0) }
      options.connections = connections
      options.retries = retries
      options.keep = keep
      let judge = try PulledSignatureJudge(reference.repository, signaturePath: signature, signers, settings)
      options.signatures = judge.policy
      let hub = try HubSettings(
        environment: ProcessInfo.processInfo.environment, offline: offline, userAgent: "evident/\(Node.version)")
      let store = ModelStore(root: settings.modelsFolder)
      let pull = ModelPull(
        reference, settings: hub, store: store, options: options, report: { display.show($0) })
      let outcome = try await Interruption.cancelling { try await pull.run() }
      try judge.outcome.record(in: store, outcome.digest)
      display.finish()
      report(outcome, judge.outcome)
    } catch {
      display.finish()
      throw failure(error)
    }
  }

  /// The one line that says what is wrong, and the one that says what to do.
  private func failure(_ error: any Error) -> any Error {
    switch error {
    case is CancellationError:
      Terminal.note("stopped; what has arrived is kept")
      Terminal.note("hint: go on with: evident pull \(model)")
      return ExitCode(130)
    case let error as HubFailure: return CommandFailure("\(error)", hint: error.hint)
    case let error as HubRejection: return CommandFailure("\(error)", hint: error.hint)
    case let error as FileFailure: return CommandFailure("\(error)", hint: "\(error.remedy); what has arrived is kept")
    default: return error
    }
  }

  private func report(_ outcome: PullOutcome, _ signed: ImportedSignature) {
    signed.note()
    if json {
      print(
        ([
          "digest": .string(outcome.digest.description), "name": .string(outcome.name.text),
          "commit": .string(outcome.commit), "licence": outcome.licence.map { .string($0) } ?? .null,
          "bytesDownloaded": .integer(outcome.bytesDownloaded), "bytesCached": .integer(outcome.bytesCached),
          "present": .bool(outcome.wasPresent), "folder": outcome.folder.map { .string($0) } ?? .null,
          "signature": signed.json,
        ] as JSON).text())
      return
    }
    print("\(outcome.name)  \(outcome.digest)")
    if outcome.wasPresent { Terminal.note("it was in the store already, and is unharmed") }
    if let folder = outcome.folder { Terminal.note("the files are in \(folder)") }
  }
}

/// What a person sees of a pull, on stderr.
private final class PullDisplay: Sendable {
  private let model: String
  private let download = ProgressBar("pulling", showsRate: true)
  private let conversion = ProgressBar("importing")

  init(model: String) { self.model = model }

  func show(_ event: PullEvent) {
    switch event {
    case .waiting: download.note("another process is pulling from the same repository; waiting for it")
    case .found(let files, let bytes, let present):
      let kept = present > 0 ? ", \(Terminal.bytes(present)) of it are here already" : ""
      download.note("pulling \(model): \(files) files, \(Terminal.bytes(bytes))\(kept)")
    case .progress(let done, let total): download.update(done: done, total: total)
    case .retrying(let reason, let seconds):
      download.note("\(reason); trying again in \(max(1, Int(seconds.rounded()))) s")
    case .damagedCache(let path): download.note("warning: \(path) is damaged and not used")
    case .checking(let what, let bytes):
      // Whoever looks shall know what takes longer than a moment.
      if Terminal.isErrorInteractive, bytes > 500_000_000 {
        download.note("checking \(what) (\(Terminal.bytes(bytes)))")
      }
    case .importing: download.finish()
    }
  }

  func importing(_ progress: ImportProgress) {
    conversion.update(done: progress.bytesDone, total: progress.bytesTotal)
  }

  func finish() {
    download.finish()
    conversion.finish()
  }
}
