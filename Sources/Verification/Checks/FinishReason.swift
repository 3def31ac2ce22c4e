import ModelGraph
import Receipts

/// The answer ended where and why the statement says, as far as tokens show.
enum FinishReasonCheck: Check {
  static let name = CheckName.finish

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    let statement = try evidence.statement()
    let tokens = try evidence.opening().outputTokens
    let ends = Set(try evidence.manifest().tokens.endOfSequence)
    let finish = statement.output.finish
    let limit = statement.parameters.maxTokens

    if tokens.count > limit { return .fail(.tokenLimitPassed(count: tokens.count, maxTokens: limit)) }
    if let i = tokens.firstIndex(where: { ends.contains($0) }), i < tokens.count - 1 {
      return .fail(.endOfSequenceInside(index: i, token: tokens[i]))
    }
    let endsItself = tokens.last.map { ends.contains($0) } ?? false
    // What was generated and never delivered may have ended in any way.
    let isCut = finish.reason == "cancelled" && statement.stream.deliveredTokens < tokens.count
    if let last = tokens.last, endsItself && finish != .endOfSequence && !isCut {
      return .fail(.endOfSequenceInside(index: tokens.count - 1, token: last))
    }

    switch finish {
    case .endOfSequence:
      if !endsItself { return .fail(.endOfSequenceMissing(finish, lastToken: tokens.last)) }
    case .stopString:
      if statement.parameters.stop.isEmpty { return .fail(.noStopStrings) }
      if tokens.isEmpty { return .fail(.noTokens(finish)) }
    case .tokenLimit:
      if tokens.count < limit { return .fail(.tokenLimitNotReached(count: tokens.count, maxTokens: limit)) }
    case .clientCancelled, .nodeCancelled:
      if tokens.count == limit && !isCut { return .fail(.tokenLimitHidden(count: limit, finish)) }
    }
    return .pass(description(finish))
  }

  private static func description(_ finish: Finish) -> String {
    switch finish {
    case .endOfSequence: "the model ended the answer itself"
    case .stopString: "the answer ended at a stop string"
    case .tokenLimit: "the answer reached its token limit"
    case .clientCancelled: "the client went away; the answer is the beginning of a longer one"
    case .nodeCancelled: "the node gave up; the answer is the beginning of a longer one"
    }
  }
}
