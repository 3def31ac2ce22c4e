import Receipts

/// The signed payload is a statement: all members there, none unknown, each in its range.
enum StatementStructureCheck: Check {
  static let name = CheckName.statementStructure

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    switch evidence.claimResult {
    case nil: throw .fileUnreadable
    case .failure(let rejection): return .fail(.malformed(rejection))
    case .success(let claim): return .pass("it is a statement about the response \(claim.responseID)")
    }
  }
}
