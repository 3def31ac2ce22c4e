import Receipts
import Transparency

/// The proof leads from the receipt's envelope to the root of a checkpoint.
enum InclusionCheck: Check {
  static let name = CheckName.inclusion

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    let proof = try evidence.logProof()
    let finding = try evidence.logFinding()
    if case .failure(let rejection) = finding.inclusion { return .fail(.notIncluded(rejection)) }
    let checkpoint = proof.signed.checkpoint
    return .pass("the receipt is entry \(proof.index) of the \(checkpoint.size) of \(checkpoint.origin)")
  }
}
