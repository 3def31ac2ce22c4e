import ModelGraph
import Receipts

/// The opened input tokens are the ones that were signed, and tokens of this model.
enum InputTokensCheck: Check {
  static let name = CheckName.inputTokens

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    let input = try evidence.statement().input
    let opening = try evidence.opening()
    guard opening.inputTokens.count == input.tokenCount else {
      return .fail(.inputTokenCountMismatch(stated: input.tokenCount, opened: opening.inputTokens.count))
    }
    let found = Commitment.inputTokens(opening.inputTokens, salt: opening.salt)
    guard found == input.tokenCommitment else {
      return .fail(.inputTokensMismatch(stated: input.tokenCommitment, found: found))
    }
    let size = try evidence.manifest().config.vocabularySize
    if let i = opening.inputTokens.firstIndex(where: { Int($0) >= size }) {
      return .fail(.inputTokenOutsideVocabulary(index: i, token: opening.inputTokens[i], vocabularySize: size))
    }
    return .pass("the \(input.tokenCount) input tokens in the file are the ones the node signed")
  }
}
