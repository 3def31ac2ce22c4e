import Receipts

/// The numbers of a statement about embeddings add up.
enum EmbeddingUsageCheck: Check {
  static let name = CheckName.usageCounts

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    let statement = try evidence.embeddingStatement()
    let usage = statement.usage
    let tokens = statement.input.tokenCount
    for (member, stated) in [("promptTokens", usage.promptTokens), ("totalTokens", usage.totalTokens)]
    where stated != tokens {
      return .fail(.usageMismatch(path: "predicate.usage.\(member)", stated: stated, found: tokens))
    }
    guard statement.output.count == statement.input.count else {
      return .fail(
        .usageMismatch(path: "predicate.output.count", stated: statement.output.count, found: statement.input.count))
    }
    return .pass("\(tokens) tokens of \(statement.input.count) inputs")
  }
}
