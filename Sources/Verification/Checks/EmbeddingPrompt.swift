import Receipts

/// The opened request is the one that was signed, and the one the caller sent.
enum EmbeddingPromptCheck: Check {
  static let name = CheckName.promptCommitment

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    let stated = try evidence.embeddingStatement().input.promptCommitment
    guard case .embedding(let opening) = try evidence.openedClaim() else { return .fail(.openingOfAnotherKind) }
    let found = Commitment.prompt(opening.request, salt: opening.salt)
    guard found == stated else { return .fail(.promptMismatch(stated: stated, found: found)) }
    if let expected = evidence.options.expected.embeddingRequest, expected != opening.request {
      return .fail(.requestNotExpected)
    }
    return .pass("the request in the file is the one the node signed")
  }
}
