import ModelGraph
import Receipts

/// The opened tokens of every input are the ones that were signed, and the model can take them.
enum EmbeddingInputsCheck: Check {
  static let name = CheckName.inputTokens

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    let input = try evidence.embeddingStatement().input
    let opening = try evidence.embeddingOpening()
    let inputs = opening.inputTokens
    guard inputs.count == input.count else {
      return .fail(.inputCountMismatch(stated: input.count, opened: inputs.count))
    }
    let tokens = inputs.reduce(0) { $0 + $1.count }
    guard tokens == input.tokenCount else {
      return .fail(.inputTokenCountMismatch(stated: input.tokenCount, opened: tokens))
    }
    let found = Commitment.embeddingInputs(inputs, salt: opening.salt)
    guard found == input.tokenCommitment else {
      return .fail(.embeddingInputsMismatch(stated: input.tokenCommitment, found: found))
    }
    let config = try evidence.manifest().config
    for (i, tokens) in inputs.enumerated() {
      if tokens.isEmpty { return .fail(.emptyInput(index: i)) }
      if tokens.count > config.contextLength {
        return .fail(.inputTooLong(index: i, tokens: tokens.count, contextLength: config.contextLength))
      }
      if let at = tokens.firstIndex(where: { Int($0) >= config.vocabularySize }) {
        return .fail(
          .inputTokenOutsideVocabulary(index: at, token: tokens[at], vocabularySize: config.vocabularySize))
      }
    }
    return .pass("the \(input.tokenCount) tokens of \(input.count) inputs are the ones the node signed")
  }
}
