import Receipts
import Transparency

/// As many witnesses have cosigned the checkpoint as the policy asks for.
///
/// Soundness: a log that shows different people different records needs as many lying witnesses as two quorums
/// must share.
enum WitnessQuorumCheck: Check {
  static let name = CheckName.witnessQuorum

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    let finding = try evidence.logFinding()
    guard case .success(let log) = finding.log else { throw .contradicted(.logSignature) }
    let verdict: PolicyVerdict
    switch finding.verdict {
    // The log's own signature has been verified: a cosignature of a known witness does not fit.
    case .failure(let rejection): return .fail(.cosignatureRefused(rejection))
    case .success(let found): verdict = found
    }
    switch verdict.quorum {
    case .notAskedFor:
      if try evidence.logTrust().isBuiltIn { throw .noWitnessesChosen(log: log.name.description) }
      return .pass(
        "your policy asks for no witness (quorum none): \(log.name) alone stands behind its record, which is worth "
          + "nothing against its operator")
    case .notReached(let shortfall): return .fail(.quorumNotReached(shortfall))
    case .reached:
      let names = verdict.witnesses.filter(\.hasCosigned).map(\.name.description)
      return .pass(
        "\(names.count) of the \(verdict.witnesses.count) witnesses of your policy have cosigned, enough for its "
          + "quorum: \(names.joined(separator: ", "))")
    }
  }
}
