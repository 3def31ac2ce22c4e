import ModelGraph
import Receipts

/// The opened embeddings are the ones that were signed, and the ones the caller received.
enum VectorsCheck: Check {
  static let name = CheckName.vectors

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    let statement = try evidence.embeddingStatement()
    let opening = try evidence.embeddingOpening()
    let stated = statement.output
    guard opening.vectors.count == stated.count, opening.vectors.count == opening.inputTokens.count else {
      return .fail(
        .vectorCountMismatch(
          stated: stated.count, inputs: opening.inputTokens.count, opened: opening.vectors.count))
    }
    for (i, vector) in opening.vectors.enumerated() where vector.values.count != statement.dimensions {
      return .fail(.vectorLengthMismatch(index: i, stated: statement.dimensions, opened: vector.values.count))
    }
    let found = Commitment.vectors(opening.vectors, salt: opening.salt)
    guard found == stated.vectorCommitment else {
      return .fail(.vectorsMismatch(stated: stated.vectorCommitment, found: found))
    }
    if let expected = evidence.options.expected.vectors, expected != opening.vectors {
      return .fail(.vectorsNotExpected)
    }
    return .pass("the \(stated.count) embeddings in the file are the ones the node signed")
  }
}
