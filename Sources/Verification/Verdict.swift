public import Receipts
import Transparency

/// What a verifier concludes, at which level, and what it did not check.
public struct Verdict: Sendable {
  public enum Outcome: String, Sendable {
    /// Everything that was asked for passed.
    case verified
    /// A check failed.
    case refuted
    /// Nothing failed, and something that was asked for could not be checked.
    case unchecked
  }

  public let outcome: Outcome
  /// One line per check, in order, performed or not.
  public let checks: [CheckResult]
  /// One row per level, established or not.
  public let levels: [LevelRow]
  /// The statement as far as it could be read; believe it only as far as the verdict goes.
  public let claim: Claim?
  /// The opening as far as it could be read; believe it only as far as the verdict goes.
  public let opening: OpenedClaim?
  /// Present only when the outcome is ``Outcome/verified``.
  public let receipt: VerifiedReceipt?
  /// Who chose what was random.
  public let randomness: String?
  /// Whom you have to believe even after this verdict.
  public let stillTrusted: [String]
  /// What this verdict says nothing about.
  public let notChecked: [String]

  let asked: VerifierOptions

  /// 0 everything asked for passed, 1 refuted, 2 could not be checked.
  public var exitStatus: Int32 {
    switch outcome {
    case .verified: 0
    case .refuted: 1
    case .unchecked: 2
    }
  }

  init(_ evidence: Evidence, _ results: [CheckResult]) {
    let options = evidence.options
    let isRefuted = results.contains { if case .fail = $0.outcome { true } else { false } }
    checks = results
    levels = LevelRow.table(results, evidence)
    claim = try? evidence.claim()
    opening = try? evidence.openedClaim()
    let established = Set(levels.filter { $0.state == .established }.map(\.level))
    let isAnswered = established.isSuperset(of: options.levelsAskedFor) && Verdict.lookupIsDecided(results, options)
    outcome = isRefuted ? .refuted : isAnswered ? .verified : .unchecked
    asked = options
    if outcome == .verified, let claim {
      receipt = VerifiedReceipt(
        claim: claim, opening: options.receiptOnly ? nil : opening, levels: established)
    } else {
      receipt = nil
    }
    let drawn = claim.flatMap(Randomness.init)
    randomness = drawn?.description
    stillTrusted = Verdict.stillTrusted(established, claim, drawn, evidence)
    notChecked = Verdict.notChecked(results, options, claim)
  }

  /// Whether looking the receipt up gave an answer, if it was asked for. That its time is not over yet is one.
  private static func lookupIsDecided(_ results: [CheckResult], _ options: VerifierOptions) -> Bool {
    !options.isLookupAskedFor
      || results.allSatisfy { result in
        guard result.check == .promise, case .skip(let reason) = result.outcome else { return true }
        if case .pending = reason { return true }
        return false
      }
  }

  private static func stillTrusted(
    _ established: Set<Level>, _ claim: Claim?, _ randomness: Randomness?, _ evidence: Evidence
  ) -> [String] {
    guard let claim, !established.isEmpty else {
      return ["nothing is established: you would have to trust everyone"]
    }
    var out: [String] = []
    if established.contains(.replayed) {
      out.append("your own machine and this program")
      out.append("that \(claim.model.manifest) is the model you mean")
    } else {
      out.append("the node, for the answer being what the model gives")
      if randomness == .node { out.append("the node, for not having picked a lucky draw") }
    }
    if established.contains(.logged), let finding = evidence.finding, case .success(let log) = finding.log {
      switch evidence.trust?.policy.strength?.sharedMin {
      case 1?: out.append("that none of your witnesses lies together with the log \(log.name)")
      case let shared? where shared > 1:
        out.append("that fewer than \(shared) of your witnesses lie together with the log \(log.name)")
      case nil: out.append("the operator of \(log.name), for showing everyone the same record")
      default:
        out.append(
          "the operator of \(log.name), for showing all your witnesses the same record: two quorums of your policy need "
            + "not share one")
      }
    }
    out.append("the node, for the time it states (\(claim.time)) and the name of its software")
    return out
  }

  private static func notChecked(
    _ results: [CheckResult], _ options: VerifierOptions, _ claim: Claim?
  ) -> [String] {
    var out: [String] = []
    for result in results {
      if case .skip(let reason) = result.outcome { out.append("\(result.check.title): \(reason)") }
    }
    if options.expected.keys.isEmpty && claim != nil {
      out.append("whose key signed: you named none to compare with")
    }
    if claim != nil { out.append("whether the key was revoked later: the log knows, this file cannot") }
    out.append(
      claim?.kind == .embedding
        ? "whether the embeddings are good ones" : "whether the answer is true, wise or safe")
    return out
  }
}
