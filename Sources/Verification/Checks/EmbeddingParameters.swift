import ModelGraph
import Receipts

/// The model makes embeddings, and has as many dimensions as were asked of it.
enum EmbeddingParametersCheck: Check {
  static let name = CheckName.parameters

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    let dimensions = try evidence.embeddingStatement().dimensions
    let config = try evidence.manifest().config
    guard config.pooling != nil else { return .fail(.notAnEncoder) }
    guard dimensions <= config.hiddenSize else {
      return .fail(.dimensionsExceeded(dimensions: dimensions, hiddenSize: config.hiddenSize))
    }
    return .pass("the model makes embeddings of \(config.hiddenSize) dimensions; \(dimensions) were asked for")
  }
}
