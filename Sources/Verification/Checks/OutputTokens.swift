import ModelGraph
import Receipts

/// The opened output tokens are the ones that were signed, and tokens of this model.
enum OutputTokensCheck: Check {
  static let name = CheckName.outputTokens

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    let output = try evidence.statement().output
    let opening = try evidence.opening()
    guard opening.outputTokens.count == output.tokenCount else {
      return .fail(.outputTokenCountMismatch(stated: output.tokenCount, opened: opening.outputTokens.count))
    }
    let found = Commitment.outputTokens(opening.outputTokens, salt: opening.salt)
    guard found == output.tokenCommitment else {
      return .fail(.outputTokensMismatch(stated: output.tokenCommitment, found: found))
    }
    let size = try evidence.manifest().config.vocabularySize
    if let i = opening.outputTokens.firstIndex(where: { Int($0) >= size }) {
      return .fail(.outputTokenOutsideVocabulary(index: i, token: opening.outputTokens[i], vocabularySize: size))
    }
    return .pass("the \(output.tokenCount) output tokens in the file are the ones the node signed")
  }
}
