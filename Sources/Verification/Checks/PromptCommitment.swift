import Receipts

/// The opened request is the one that was signed, and the one the caller sent.
enum PromptCommitmentCheck: Check {
  static let name = CheckName.promptCommitment

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    let statement = try evidence.statement()
    guard case .answer(let opening) = try evidence.openedClaim() else { return .fail(.openingOfAnotherKind) }
    guard statement.endpoint == opening.request.endpoint else {
      return .fail(.endpointMismatch(stated: statement.endpoint, opened: opening.request.endpoint))
    }
    let found = Commitment.prompt(opening.request, salt: opening.salt)
    guard found == statement.input.promptCommitment else {
      return .fail(.promptMismatch(stated: statement.input.promptCommitment, found: found))
    }
    if let expected = evidence.options.expected.request, expected != opening.request {
      return .fail(.requestNotExpected)
    }
    return .pass("the request in the file is the one the node signed")
  }
}
