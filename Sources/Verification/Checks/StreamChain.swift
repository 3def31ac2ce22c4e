import Receipts

/// The hash chain over the delivered tokens ends where the node says.
enum StreamChainCheck: Check {
  static let name = CheckName.streamChain

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    let statement = try evidence.statement()
    let opening = try evidence.opening()
    let delivered = statement.stream.deliveredTokens
    // Counts that do not agree are refuted where they are compared.
    guard delivered <= opening.outputTokens.count else {
      throw .contradicted(delivered > statement.output.tokenCount ? .usageCounts : .outputTokens)
    }
    let chain = AnswerChain(
      salt: opening.salt, receiptID: statement.receiptID, tokens: opening.outputTokens.prefix(delivered))
    guard chain.head == statement.stream.head else {
      return .fail(.streamHeadMismatch(stated: statement.stream.head, found: chain.head))
    }
    return .pass("the hash chain over the \(delivered) delivered tokens is the one the node signed")
  }
}
