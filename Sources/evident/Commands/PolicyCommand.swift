import ArgumentParser
import Digests
import ModelFiles
import Receipts
import Transparency
import Verification

struct PolicyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "policy",
    abstract: "Says whom you believe about public logs, and what that is worth.",
    discussion: """
      A policy is a file in C2SP's tlog-policy format, for example:

        log log.example.org/evident+1a2b3c4d+AQ…
        witness w1 witness1.example.org+…
        witness w2 witness2.example.org+…
        witness w3 witness3.example.org+…
        group enough 2 w1 w2 w3
        quorum enough
      """,
    subcommands: [ShowCommand.self, CheckCommand.self])

  struct ShowCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "show", abstract: "Says in words what a policy asks for and what it is worth.")
    @Argument(help: "A policy file; default: the one that verify would use.", completion: .file()) var file: String?
    @Flag(help: "Print JSON.") var json = false

    func run() async throws {
      let chosen = try ChosenPolicy(file, try await Settings())
      let words = PolicyWords(chosen)
      print(json ? words.json.text() : Terminal.printable(words.text, bytesMax: 1 << 20))
    }
  }

  struct CheckCommand: ParsableCommand, JudgingCommand {
    static let configuration = CommandConfiguration(
      commandName: "check",
      abstract: "Checks a policy file; or evidence, a checkpoint or a tlog-proof under it.",
      discussion: """
        The exit status is 0 when the policy is one and accepts what was given, 1 when
        it does not, and 2 when it cannot say.
        """)
    @Argument(help: "The policy file.", completion: .file()) var policy: String
    @Argument(help: "An evidence file, a checkpoint or a tlog-proof; - reads stdin.", completion: .file())
    var subject: String?
    @Flag(help: "Print JSON.") var json = false

    func run() throws {
      let trust = try PolicyFile.read(policy, rejectedStatus: 1)
      guard let subject else {
        let words = PolicyWords(ChosenPolicy(trust, path: policy))
        print(json ? words.json.text() : Terminal.printable(words.summary))
        return
      }
      let bytes = try EvidenceInput.read(subject)
      let report: Report
      if bytes.first == UInt8(ascii: "{") || bytes.first == UInt8(ascii: " ") {
        report = Report(evidence: bytes, trust)
      } else if bytes.starts(with: "c2sp.org/tlog-proof@".utf8) {
        do {
          report = Report(try InclusionEvidence(parsing: bytes), trust)
        } catch { report = Report(refused: error.description) }
      } else {
        do { report = Report(try SignedCheckpoint(parsing: bytes), trust) } catch {
          report = Report(refused: error.description)
        }
      }
      print(json ? report.json.text() : Terminal.printable(report.text))
      if report.exitStatus != 0 { throw ExitCode(report.exitStatus) }
    }
  }

  /// What a policy makes of a file.
  struct Report {
    let exitStatus: Int32
    let lines: [(outcome: String, check: String, reason: String)]

    var text: String {
      let headline = exitStatus == 0 ? "ACCEPTED" : exitStatus == 1 ? "REFUSED" : "NOT CHECKED"
      return (lines.map { "\($0.outcome) \($0.check): \($0.reason)" } + [headline]).joined(separator: "\n")
    }

    var json: JSON {
      [
        "accepted": .bool(exitStatus == 0), "exitStatus": .integer(Int(exitStatus)),
        "checks": .array(
          lines.map { ["check": .string($0.check), "outcome": .string($0.outcome), "reason": .string($0.reason)] }),
      ]
    }

    private init(_ exitStatus: Int32, _ lines: [(outcome: String, check: String, reason: String)]) {
      self.exitStatus = exitStatus
      self.lines = lines
    }

    init(refused reason: String) { self.init(1, [("FAIL", "file", reason)]) }

    /// Of an evidence file: the checks that ask about the log.
    init(evidence: [UInt8], _ policy: TrustPolicy) {
      var options = VerifierOptions()
      options.policy = policy
      options.receiptOnly = true
      options.requiredLevels = [.logged]
      let verdict = Verifier(options).verify(evidence)
      let lines = verdict.checks
        .filter {
          [.log, .keys].contains($0.check.need) || $0.check.need == .receipt && $0.outcome.word == "FAIL"
        }
        .map { (outcome: $0.outcome.word, check: $0.check.title, reason: $0.outcome.reason) }
      self.init(verdict.exitStatus, lines)
    }

    /// Of a tlog-proof, which does not say of what it is one.
    init(_ proof: InclusionEvidence, _ policy: TrustPolicy) {
      let report = Report(proof.signed, policy)
      let reason =
        "not checked: the entry at index \(proof.index) is not in this file; evident verify checks that of evidence"
      self.init(report.exitStatus, report.lines + [("SKIP", "inclusion", reason)])
    }

    /// Of a checkpoint.
    init(_ signed: SignedCheckpoint, _ policy: TrustPolicy) {
      let verdict: PolicyVerdict
      do { verdict = try policy.evaluate(signed) } catch {
        self.init(refused: error.description)
        return
      }
      var lines = [
        (
          outcome: "PASS", check: "log signature",
          reason: "\(verdict.log.name), \(verdict.checkpoint.size) entries, root \(verdict.checkpoint.root)"
        )
      ]
      for witness in verdict.witnesses {
        let reason = witness.timestamp.map { "cosigned at \(UTCTime.text($0))" } ?? "has not cosigned"
        lines.append((witness.hasCosigned ? "PASS" : "SKIP", "witness \(witness.name)", reason))
      }
      switch verdict.quorum {
      case .notAskedFor: lines.append(("PASS", "quorum", "no witness is asked for"))
      case .reached(let time): lines.append(("PASS", "quorum", "reached at \(UTCTime.text(time))"))
      case .notReached(let shortfall): lines.append(("FAIL", "quorum", shortfall.description))
      }
      self.init(verdict.isAccepted ? 0 : 1, lines)
    }
  }
}
