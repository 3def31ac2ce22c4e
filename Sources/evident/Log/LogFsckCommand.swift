import ArgumentParser
import Digests
import LogReading
import Transparency

struct LogFsckCommand: AsyncParsableCommand, JudgingCommand {
  static let configuration = CommandConfiguration(
    commandName: "fsck",
    abstract: "Verifies every file of a log, in a folder or at an address.",
    discussion: """
      Every tile, bundle and partial tile, the checkpoint's signatures and the
      policy's quorum. Nothing is changed. The exit status is 0 when all is
      right, 1 when something is damaged, and 2 when it could not be read.

      Whose log it is stands in --key, in --policy, or in the file policy in
      $XDG_CONFIG_HOME/evident, as for evident verify.
      """)

  @Argument(help: "The log's folder, or its address (http or https).", completion: .directory) var log: String
  @OptionGroup var trust: LogTrustArguments
  @Flag(help: "Print one JSON object.") var json = false

  func run() async throws {
    let (policy, name) = try trust.policy(try await Settings())
    let source: any LogSource
    do { source = try LogPlace.source(log) } catch { throw CommandFailure(error.description) }
    let bar = ProgressBar("verifying", showsRate: true) { ModelSummary.count($0) }
    let report = try await Interruption.cancelling {
      try await LogFsck(source, policy: policy).run { bar.update(done: Int($0), total: Int($1)) }
    }
    bar.finish()
    if json {
      var object = report.json.object ?? JSONObject()
      object["policy"] = .string(name)
      print(JSON.object(object).text())
    } else {
      print(Terminal.printable("policy  \(name)\n\(report.text)", bytesMax: 1 << 20))
      if report.audit.entries == 0, report.verdict == nil {
        Terminal.note("hint: give the folder or the address that has the log's checkpoint and tile/ in it")
      }
    }
    if report.exitStatus != 0 { throw ExitCode(report.exitStatus) }
  }
}

/// Whose checkpoints count.
struct LogTrustArguments: ParsableArguments {
  @Option(help: ArgumentHelp("The log's verifier key, and no witness; may be repeated.", valueName: "vkey"))
  var key: [String] = []
  @Option(
    help: ArgumentHelp(
      "A policy file: logs, witnesses and their quorum (default: the one of evident verify).", valueName: "file"),
    completion: .file())
  var policy: String?

  func validate() throws {
    guard key.isEmpty || policy == nil else { throw ValidationError("give --key or --policy, not both") }
  }

  /// The policy, and what to call it.
  func policy(_ settings: Settings) throws -> (TrustPolicy, String) {
    guard !key.isEmpty else {
      let chosen = try ChosenPolicy(policy, settings)
      guard let policy = chosen.policy, !policy.logs.isEmpty else {
        throw CommandFailure(
          "whose log it is is not known" + (chosen.path.map { ": \($0) names none" } ?? ""),
          hint: "give --key VKEY, or --policy FILE, or write a policy to \(chosen.standardPath)")
      }
      return (policy, chosen.text)
    }
    do {
      let policy = try TrustPolicy(parsing: Array((key.map { "log \($0)\n" }.joined() + "quorum none\n").utf8))
      return (policy, key.map { "--key \($0)" }.joined(separator: " "))
    } catch {
      throw CommandFailure(
        "--key cannot be used: \(error.reasonText)", hint: "a log's verifier key looks like name+1234abcd+AQ…")
    }
  }
}

extension LogFsck.Report {
  var json: JSON {
    var object: JSONObject = JSONObject()
    object["ok"] = .bool(exitStatus == 0)
    object["origin"] = verdict.map { .string($0.checkpoint.origin.string) } ?? .null
    object["size"] = verdict.map { .integer(Int($0.checkpoint.size)) } ?? .null
    object["root"] = verdict.map { .string($0.checkpoint.root.base64) } ?? .null
    object["latestSize"] = latest.map { .integer(Int($0.size)) } ?? .null
    object["quorum"] = verdict.map { .string($0.quorumText) } ?? .null
    object["entriesVerified"] = .integer(Int(audit.entries))
    object["files"] = .integer(audit.files)
    object["bytes"] = .integer(audit.byteCount)
    object["findings"] = .array(
      audit.findings.map {
        ["path": .string($0.path), "problem": .string($0.problem), "unread": .bool($0.isUnread)]
      })
    object["findingsTotal"] = .integer(audit.findingsTotal)
    return .object(object)
  }

  var text: String {
    var lines = audit.findings.map { "\($0.isUnread ? "UNREAD" : "WRONG ")  \($0.path): \($0.problem)" }
    if audit.findingsTotal > audit.findings.count {
      lines.append("…       \(audit.findingsTotal - audit.findings.count) more")
    }
    if let verdict {
      lines.append("log     \(verdict.checkpoint.origin), \(verdict.checkpoint.size) entries")
      lines.append("root    \(verdict.checkpoint.root)")
      lines.append("quorum  \(verdict.quorumText)")
    }
    if verdict == nil, latest != nil { lines.append("nothing is published yet") }
    if let latest { lines.append("ahead   \(latest.size) entries are sequenced and not all published") }
    lines.append(
      "read    \(audit.entries) entries in \(audit.files) files, \(Terminal.bytes(audit.byteCount)); "
        + (exitStatus == 0
          ? "everything is right" : "\(audit.findingsTotal) finding\(audit.findingsTotal == 1 ? "" : "s")"))
    return lines.joined(separator: "\n")
  }
}

extension PolicyVerdict {
  /// The quorum in words.
  var quorumText: String {
    switch quorum {
    case .notAskedFor: "none asked for: the log alone stands behind its checkpoint"
    case .reached: "reached by \(witnesses.filter(\.hasCosigned).map(\.name.description).joined(separator: ", "))"
    case .notReached(let shortfall): shortfall.description
    }
  }
}
