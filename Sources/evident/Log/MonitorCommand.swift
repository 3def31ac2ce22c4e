import ArgumentParser
import Digests
import Foundation
import LogReading
import ModelFiles
import Receipts
import Transparency
import TransparencyLog

struct MonitorCommand: AsyncParsableCommand, JudgingCommand {
  static let configuration = CommandConfiguration(
    commandName: "monitor",
    abstract: "Follows public logs and raises an alarm when one does what it must not.",
    discussion: """
      Every checkpoint's signatures and every new entry are verified; the entries
      must continue what was verified before, which is kept in --state. Alarms are
      JSON lines on stdout, and with their evidence files in --state:

        fork            two checkpoints that exclude each other
        rollback        fewer entries than before
        wrongSignature  not a checkpoint of a log of the policy
        quorum          published without the policy's witnesses
        damaged         what is served is not what the checkpoint says
        badEntry        an entry that is no signed statement
        foreignEntry    an entry that names --node-key and is not among --receipts
        brokenPromise   a --receipt that is not in the log after its time

      --receipts is where this node keeps what it signed: its state folder (or the
      receipts.sqlite there), which has its receipts and what it said about its
      keys; a folder of receipts and evidence files; or the address of its server,
      which answers for receipts, not for rotations and revocations of keys: for
      those, give the state folder too, or a copy of its key-history. Without
      --receipts, every entry that names the key is an alarm. A foreignEntry means
      that someone else signs with the key, or that those receipts are not all.

      Each alarm is posted to --webhook with its evidence, up to 1 MiB. What it does
      not take (with a status of 2xx) is kept in --state, up to 1,000 alarms and 8
      MiB of each kind, and posted again at the next look, also of a later run.

      Whose log it is stands in --key, in --policy, or in the file policy in
      $XDG_CONFIG_HOME/evident, as for evident verify.

      With --once the exit status is 0 when all is right, 1 after an alarm, and 2
      when something could not be looked at, or only older alarms still wait for
      the webhook. Otherwise the command runs until Ctrl-C; then it is 1 if there
      was an alarm.
      """)

  @Argument(help: "Addresses or folders of logs; several of one log are compared.", completion: .directory)
  var logs: [String]
  @OptionGroup var trust: LogTrustArguments
  @Option(
    help: ArgumentHelp("Where is kept what was verified (default: monitor in EVIDENT_STATE).", valueName: "folder"),
    completion: .directory)
  var state: String?
  @Flag(help: "Look once, and end.") var once = false
  @Option(help: ArgumentHelp("Time between two looks, in seconds or like 5m.", valueName: "time")) var interval = "60s"
  @Option(
    help: ArgumentHelp(
      "A witness's monitoring address, to compare what it cosigned; may be repeated.", valueName: "url"))
  var witness: [String] = []
  @Option(help: ArgumentHelp("Your node's public key (64 hex digits); see evident keys.", valueName: "hex"))
  var nodeKey: String?
  @Option(
    help: ArgumentHelp(
      "What that node has signed: its state folder, a folder, or its address; may be repeated.", valueName: "place"),
    completion: .file())
  var receipts: [String] = []
  @Option(
    help: ArgumentHelp("A receipt that must be in the log by its time; may be repeated.", valueName: "file"),
    completion: .file())
  var receipt: [String] = []
  @Option(help: ArgumentHelp("Where each alarm is posted to, as JSON.", valueName: "url")) var webhook: String?
  @Flag(help: "Entries may be anything, not only signed statements.") var anyEntries = false

  func validate() throws {
    guard receipts.isEmpty || nodeKey != nil else { throw ValidationError("--receipts belongs to --node-key") }
    guard !anyEntries || nodeKey == nil else { throw ValidationError("--any-entries looks at no --node-key") }
    if let webhook, !webhook.hasPrefix("http://"), !webhook.hasPrefix("https://") {
      throw ValidationError("--webhook is \(webhook); it must begin with http:// or https://")
    }
  }

  func run() async throws {
    let settings = try await Settings()
    let (policy, _) = try trust.policy(settings)
    let seconds = try ServeCommand.seconds(interval)
    guard seconds > 0 else { throw ValidationError("--interval must be more than 0") }
    let folder = state ?? settings.stateFolder + "/monitor"
    let storage: POSIXStorage
    do {
      try FileSystem.createDirectories(folder, mode: 0o755)
      storage = try POSIXStorage(root: folder)
    } catch let failure as StorageFailure where failure.isInUse {
      throw CommandFailure(
        "the state \(folder) is in use by another process",
        hint: "each monitor needs a folder of its own; choose one with --state")
    } catch {
      throw CommandFailure(
        "the state \(folder) cannot be opened: \((error as? StorageFailure)?.reason ?? "\(error)")",
        hint: "check the disk and the folder's permissions, or choose another with --state")
    }
    var rules = LogMonitor<POSIXStorage>.Rules()
    rules.areEntriesStatements = !anyEntries
    if let nodeKey {
      guard let key = NodePublicKey(hex: nodeKey) else {
        throw ValidationError("--node-key \(nodeKey) is not 64 lower-case hex digits of a key")
      }
      rules.nodeKey = key
      if !receipts.isEmpty {
        let own = try OwnReceipts(receipts)
        rules.isOwn = { try await own.contains($0) }
      }
    }
    var monitors: [LogMonitor<POSIXStorage>] = []
    for log in logs {
      let source: any LogSource
      do { source = try LogPlace.source(log) } catch { throw CommandFailure(error.description) }
      monitors.append(try LogMonitor(source, policy: policy, rules: rules, storage: storage))
    }
    let promised = try receipt.map { try PromisedReceipt(name: $0, MonitorCommand.read($0)) }
    for item in promised where !policy.logs.contains(where: { $0.key == item.log }) {
      throw CommandFailure(
        "\(item.name) promises another log, \(item.log)", hint: "give the key of that log with --key or --policy")
    }
    let reporter = try MonitorReporter(storage: storage, folder: folder, webhook: webhook)
    let watch = MonitorWatch(
      monitors: monitors, witnesses: try witness.map { LogReader(try HTTPSource($0)) }, promised: promised)
    let once = once
    do {
      try await Interruption.cancelling {
        var watch = watch
        while true {
          try await watch.look(reporter)
          if once { return }
          try await Task.sleep(for: .seconds(seconds))
        }
      }
    } catch is CancellationError {} catch {
      await reporter.deliver()
      await reporter.shutdown()
      throw error
    }
    await reporter.shutdown()
    let status = await reporter.exitStatus(once: once)
    if status != 0 { throw ExitCode(status) }
  }

  private static func read(_ path: String) throws -> [UInt8] {
    guard let handle = FileHandle(forReadingAtPath: path) else {
      throw CommandFailure("there is no readable file \(path)", hint: "check the path")
    }
    return Array(try handle.read(upToCount: EvidenceLimits.fileBytesMax + 1) ?? Data())
  }
}

/// All logs and witnesses that are watched together.
struct MonitorWatch: Sendable {
  var monitors: [LogMonitor<POSIXStorage>]
  let witnesses: [LogReader]
  var promised: [PromisedReceipt]

  mutating func look(_ reporter: MonitorReporter) async throws {
    await reporter.beginLook()
    await reporter.deliver()
    for i in monitors.indices {
      let place = monitors[i].place
      try await monitors[i].look { round, state in try await reporter.report(round, state, at: place) }
      await reporter.deliver()
    }
    for (i, monitor) in monitors.enumerated() {
      guard let state = monitor.state else { continue }
      // Other addresses of the same log, and what witnesses have cosigned of it.
      for other in monitors[(i + 1)...] where other.place != monitor.place {
        guard let seen = other.state else { continue }
        // Who shows more has the tiles to compare by.
        let (more, less) =
          seen.signed.checkpoint.size > state.signed.checkpoint.size ? (other, state) : (monitor, seen)
        let elsewhere = more.place == monitor.place ? other.place : monitor.place
        try await reporter.report(await more.compare(less.signed, from: elsewhere))
      }
      for witness in witnesses {
        let path = MonitorState.originHash(state.signed.checkpoint.origin) + "/checkpoint"
        do {
          let seen = try await witness.checkpoint(path)
          try await reporter.report(await monitor.compare(seen, from: witness.source.place))
        } catch LogReader.Problem.missing {
          // It has cosigned nothing of this log.
          continue
        } catch { await reporter.failed("the witness \(witness.source.place): \(error)") }
      }
      let now = Int64(Date().timeIntervalSince1970)
      try await reporter.report(try await monitor.checkPromises(&promised, now: now))
      await reporter.deliver()
    }
  }
}
