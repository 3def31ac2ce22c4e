import ModelGraph
import Receipts

/// The sampling parameters make sense for this model. That each is in its range is part of reading them.
enum ParametersCheck: Check {
  static let name = CheckName.parameters

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    let statement = try evidence.statement()
    let config = try evidence.manifest().config
    for bias in statement.parameters.logitBias where Int(bias.token) >= config.vocabularySize {
      return .fail(.biasOutsideVocabulary(token: bias.token, vocabularySize: config.vocabularySize))
    }
    let prompt = statement.input.tokenCount
    let maxTokens = statement.parameters.maxTokens
    // Both are at most 2^20.
    guard prompt + maxTokens <= config.contextLength else {
      return .fail(
        .contextExceeded(promptTokens: prompt, maxTokens: maxTokens, contextLength: config.contextLength))
    }
    return .pass("every parameter is in range and fits the model")
  }
}
