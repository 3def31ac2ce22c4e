import ArgumentParser
import Digests
import Foundation
import Inference
import ModelFiles
import ModelGraph
import Node
import Receipts
import Verification

struct VerifyCommand: AsyncParsableCommand, JudgingCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Checks evidence files offline, every check on its own line.",
    discussion: """
      The exit status is 0 when everything asked for passed, 1 when something is
      refuted, and 2 when it could not be checked. No network is used, except with
      --log.

      Whom to believe about public logs stands in a policy file (C2SP tlog-policy):
      --policy, or the file policy in $XDG_CONFIG_HOME/evident. Without one, only the
      log that the receipt names itself is believed, which is worth nothing against
      that log's operator. See: evident policy show
      """)

  enum RequiredLevel: String, ExpressibleByArgument, CaseIterable { case signed, logged, replayed }
  enum Backend: String, ExpressibleByArgument, CaseIterable { case engine, reference }

  @Argument(help: "Evidence files or receipts; - reads stdin.", completion: .file()) var files: [String]
  @Flag(help: "Recompute the answer on this machine; needs the model.") var replay = false
  @Option(help: "What recomputes: engine (fast kernels) or reference (the trusted closure alone; slow).")
  var replayWith: Backend = .engine
  @Flag(help: "A receipt without its opening is enough: ask nothing about prompt and answer.") var receiptOnly = false
  @Option(
    name: [.customLong("key"), .customLong("node-key")],
    help: "The node's public key that must have signed, or a successor of it (64 hex digits); may be repeated.")
  var key: [String] = []
  @Option(
    help: ArgumentHelp("Logs and witnesses that you believe (default: see above).", valueName: "file"),
    completion: .file())
  var policy: String?
  @Option(
    help: ArgumentHelp(
      "Look the receipts up in this log, all of whose leaf hashes are read: a promise that it has not kept is found.",
      valueName: "url|folder"), completion: .directory)
  var log: String?
  @Option(help: "A level that must be established: logged or replayed; may be repeated.")
  var requireLevel: [RequiredLevel] = []
  @Option(help: "The model that must have answered: its digest, sha256:….") var model: String?
  @Option(help: "The nonce that was sent, in hex.") var nonce: String?
  @Flag(help: "The files are saved streams (server-sent events) with signed checkpoints, cut or whole.")
  var stream = false
  @Flag(help: "Print one JSON object per file.") var json = false
  @OptionGroup var engine: EngineArguments

  func validate() throws {
    guard stream else { return }
    // What is asked for is never passed over: a script would take silence for yes.
    let others: [(given: Bool, name: String)] = [
      (replay, "--replay"), (log != nil, "--log"), (!requireLevel.isEmpty, "--require-level"),
      (policy != nil, "--policy"),
      (receiptOnly, "--receipt-only"), (model != nil, "--model"), (nonce != nil, "--nonce"),
    ]
    if let other = others.first(where: \.given) {
      throw ValidationError("\(other.name) is about evidence; of a --stream only the node's --key can be asked for")
    }
  }

  func run() async throws {
    let settings = try await Settings()
    let keys = try acceptedKeys()
    let chosen = try ChosenPolicy(policy, settings)
    let options = try self.options(settings, chosen)
    let verifier = Verifier(options)
    var worst: Int32 = 0
    var contents: [(file: String, bytes: [UInt8])] = []
    for file in files {
      do { contents.append((file, try EvidenceInput.read(file))) } catch let failure as CommandFailure {
        Terminal.note("error: \(failure)")
        worst = 2
      }
    }
    var lookup: ReceiptLookup?
    if let log {
      do { lookup = try await ReceiptLookup(contents.map(\.bytes), in: log) } catch let failure as CommandFailure {
        // Everything else is checked all the same; the verdict says that this could not be.
        Terminal.note("error: \(failure)")
        worst = 2
      }
    }
    for (file, bytes) in contents {
      if stream {
        let verdict = StreamVerdict(bytes, keys: keys)
        report(verdict, file)
        if worst != 1 { worst = verdict.exitStatus == 1 ? 1 : max(worst, verdict.exitStatus) }
        continue
      }
      let observing = lookup.map { lookup in
        var options = options
        options.observation = lookup.observation(of: bytes)
        return Verifier(options)
      }
      let verdict = Waiting.during("checking \(file)") { (observing ?? verifier).verify(bytes) }
      if json {
        var object = verdict.json.object ?? JSONObject()
        object["file"] = .string(file)
        object["policy"] = chosen.json
        print(JSON.object(object).text())
      } else {
        if files.count > 1 { print("== \(file)") }
        print("policy   \(Terminal.printable(chosen.text))")
        if bytes.starts(with: "data:".utf8) {
          Terminal.note("hint: \(Terminal.printable(file)) looks like a saved stream; check it with --stream")
        }
        print(verdict.text(color: Terminal.usesColor(Terminal.isOutputInteractive)))
      }
      // A refutation outweighs everything; then whatever could not be checked.
      if worst != 1 { worst = verdict.exitStatus == 1 ? 1 : max(worst, verdict.exitStatus) }
    }
    if worst != 0 { throw ExitCode(worst) }
  }

  private func report(_ verdict: StreamVerdict, _ file: String) {
    if json {
      var object = verdict.json.object ?? JSONObject()
      object["file"] = .string(file)
      print(JSON.object(object).text())
    } else {
      if files.count > 1 { print("== \(file)") }
      print(verdict.text)
    }
  }

  private func acceptedKeys() throws -> Set<NodePublicKey> {
    var keys: Set<NodePublicKey> = []
    for text in key {
      guard let publicKey = NodePublicKey(hex: text) else {
        throw ValidationError("--key \(text) is not a node's public key: 64 lower-case hex digits of an Ed25519 key")
      }
      keys.insert(publicKey)
    }
    return keys
  }

  private func options(_ settings: Settings, _ chosen: ChosenPolicy) throws -> VerifierOptions {
    var options = VerifierOptions()
    options.replay = replay || requireLevel.contains(.replayed)
    options.policy = chosen.policy
    options.requiredLevels = Set(requireLevel.compactMap { Level(rawValue: $0.rawValue) })
    options.receiptOnly = receiptOnly
    options.isLookupAskedFor = log != nil
    options.expected.keys = try acceptedKeys()
    if let model {
      guard let digest = Digest<ModelManifest>(model) else {
        throw ValidationError("--model \(model) is not sha256: and 64 lower-case hex digits")
      }
      options.expected.model = digest
    }
    if let nonce {
      guard let bytes = Hex.bytes(nonce) else { throw ValidationError("--nonce \(nonce) is not lower-case hex") }
      options.expected.nonce = bytes
    }
    let backend: StoreLibrary.Backend = replayWith == .reference ? .reference : .engine(try engine.options(settings))
    options.models = StoreLibrary(
      store: ModelStore(root: settings.modelsFolder), backend: backend, report: { Terminal.note("warning: \($0)") })
    return options
  }
}
