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
  public let statement: Statement?
  /// The opening as far as it could be read; believe it only as far as the verdict goes.
  public let opening: Opening?
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
    statement = try? evidence.statement()
    opening = try? evidence.opening()
    let established = Set(levels.filter { $0.state == .established }.map(\.level))
    if outcome == .verified, let statement {
      receipt = VerifiedReceipt(
        statement: statement, opening: options.receiptOnly ? nil : opening, levels: established)
    } else {
      receipt = nil
    }
    randomness = statement.map { Randomness($0).description }
    stillTrusted = Verdict.stillTrusted(established, statement)
    notChecked = Verdict.notChecked(results, options, statement)
  }

  private static func stillTrusted(_ established: Set<Level>, _ statement: Statement?) -> [String] {
    guard let statement, !established.isEmpty else {
      return ["nothing is established: you would have to trust everyone"]
    }
    var out: [String] = []
    if established.contains(.replayed) {
      out.append("your own machine and this program")
      out.append("that \(statement.model.manifest) is the model you mean")
    } else {
      out.append("the node, for the answer being what the model gives")
      if Randomness(statement) == .node { out.append("the node, for not having picked a lucky draw") }
    }
    out.append("the node, for the time it states (\(statement.time)) and the name of its software")
    return out
  }

  private static func notChecked(
    _ results: [CheckResult], _ options: VerifierOptions, _ statement: Statement?
  ) -> [String] {
    var out: [String] = []
    for result in results {
      if case .skip(let reason) = result.outcome { out.append("\(result.check.title): \(reason)") }
    }
    if options.expected.keys.isEmpty && statement != nil {
      out.append("whose key signed: you named none to compare with")
    }
    out.append("whether the answer is true, wise or safe")
    return out
  }
}
