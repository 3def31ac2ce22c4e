public import Receipts

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
    let isComplete = results.allSatisfy {
      if case .skip = $0.outcome { !options.isAskedFor($0.check.need) } else { true }
    }
    outcome = isRefuted ? .refuted : isComplete ? .verified : .unchecked
    checks = results
    levels = LevelRow.table(results, options: options)
    claim = try? evidence.claim()
    opening = try? evidence.openedClaim()
    let established = Set(levels.filter { $0.state == .established }.map(\.level))
    if outcome == .verified, let claim {
      receipt = VerifiedReceipt(
        claim: claim, opening: options.receiptOnly ? nil : opening, levels: established)
    } else {
      receipt = nil
    }
    let drawn = claim.flatMap(Randomness.init)
    randomness = drawn?.description
    stillTrusted = Verdict.stillTrusted(established, claim, drawn)
    notChecked = Verdict.notChecked(results, options, claim)
  }

  private static func stillTrusted(
    _ established: Set<Level>, _ claim: Claim?, _ randomness: Randomness?
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
    out.append(
      claim?.kind == .embedding
        ? "whether the embeddings are good ones" : "whether the answer is true, wise or safe")
    return out
  }
}
