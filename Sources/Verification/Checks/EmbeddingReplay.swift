import ModelGraph
import Receipts

/// The model, run here over every input, gives every embedding itself.
///
/// Soundness: no tolerance; vectors of integers are equal or not.
enum EmbeddingReplayCheck: Check {
  static let name = CheckName.replay

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    guard evidence.options.replay else { throw .notAsked }
    let statement = try evidence.embeddingStatement()
    let opening = try evidence.embeddingOpening()
    let config = try evidence.manifest().config
    // What runs the model may rely on these.
    guard config.pooling != nil, statement.dimensions <= config.hiddenSize else { throw .contradicted(.parameters) }
    guard opening.inputTokens.count == opening.vectors.count else { throw .contradicted(.vectors) }
    for tokens in opening.inputTokens {
      guard (1...config.contextLength).contains(tokens.count),
        tokens.allSatisfy({ $0 >= 0 && Int($0) < config.vocabularySize })
      else { throw .contradicted(.inputTokens) }
    }
    guard let recomputation = evidence.options.models.recomputation(for: statement.model.manifest) else {
      throw .modelNotHere
    }
    for (i, (tokens, stated)) in zip(opening.inputTokens, opening.vectors).enumerated() {
      let vector: EmbeddingVector
      do { vector = try recomputation.embedding(for: tokens, dimensions: statement.dimensions) } catch {
        throw .computationFailed(by: recomputation.description, message: "\(error)")
      }
      guard vector == stated else {
        return .fail(.vectorDiffers(index: i, firstDifferenceAt: vector.values.firstDifference(from: stated.values)))
      }
    }
    return .pass(
      "all \(opening.vectors.count) embeddings were recomputed here, bit for bit, by \(recomputation.description)")
  }
}
