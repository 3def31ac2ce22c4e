import Receipts

/// The numbers of the statement add up.
enum UsageCountsCheck: Check {
  static let name = CheckName.usageCounts

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    let statement = try evidence.statement()
    let usage = statement.usage
    let generated = statement.output.tokenCount
    func mismatch(_ member: String, _ stated: Int, _ found: Int) -> CheckOutcome {
      .fail(.usageMismatch(path: "predicate.usage.\(member)", stated: stated, found: found))
    }
    if usage.promptTokens != statement.input.tokenCount {
      return mismatch("promptTokens", usage.promptTokens, statement.input.tokenCount)
    }
    if usage.completionTokens != generated { return mismatch("completionTokens", usage.completionTokens, generated) }
    if usage.totalTokens != usage.promptTokens + usage.completionTokens {
      return mismatch("totalTokens", usage.totalTokens, usage.promptTokens + usage.completionTokens)
    }
    let delivered = statement.stream.deliveredTokens
    if delivered > generated {
      return .fail(.deliveredMoreThanGenerated(delivered: delivered, generated: generated))
    }
    if delivered < generated && statement.output.finish.reason != "cancelled" {
      return .fail(
        .deliveredLessThanGenerated(delivered: delivered, generated: generated, statement.output.finish))
    }
    return .pass("\(usage.promptTokens) prompt tokens and \(generated) output tokens, \(delivered) of them delivered")
  }
}
