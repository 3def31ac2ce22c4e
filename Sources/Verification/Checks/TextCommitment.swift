import Receipts

/// The opened text is the one that was signed, and the one the caller received.
enum TextCommitmentCheck: Check {
  static let name = CheckName.textCommitment

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    let stated = try evidence.statement().output.textCommitment
    let opening = try evidence.opening()
    let found = Commitment.text(opening.text, salt: opening.salt)
    guard found == stated else { return .fail(.textMismatch(stated: stated, found: found)) }
    if let expected = evidence.options.expected.text, !expected.utf8.elementsEqual(opening.text.utf8) {
      return .fail(.textNotExpected)
    }
    return .pass("the text in the file is the one the node signed")
  }
}
