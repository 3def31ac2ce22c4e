import Foundation
public import ModelGraph
public import Receipts
import Synchronization
import Verification

/// Embeddings with their evidence.
public struct FinishedEmbeddings: Sendable {
  public let receiptID: String
  public let responseID: String
  /// One for each input, in order.
  public let vectors: [EmbeddingVector]
  public let promptTokens: Int
  public let signed: SignedEvidence
}

extension Node {
  /// Embeds every input, then signs and keeps the evidence.
  ///
  /// - Parameters:
  ///   - model: the model's name as the caller wrote it.
  ///   - dimensions: how many elements each vector has; nil for all of the model's.
  /// - Throws: ``AnswerRefusal`` before anything was computed, `CancellationError` when the caller goes away.
  public func embed(_ request: EmbeddingRequest, model name: String, dimensions: Int?) async throws
    -> FinishedEmbeddings
  {
    let config = model.manifest.config
    guard model.isEncoder else { throw AnswerRefusal.notAnEncoder }
    let dimensions = dimensions ?? config.hiddenSize
    guard (1...config.hiddenSize).contains(dimensions) else {
      throw AnswerRefusal.dimensionsOutOfRange(dimensions, max: config.hiddenSize)
    }
    guard request.inputs.count * dimensions <= EvidenceLimits.embeddingElementsMax else {
      throw AnswerRefusal.tooManyElements(
        inputs: request.inputs.count, dimensions: dimensions, max: EvidenceLimits.embeddingElementsMax)
    }
    let time = Node.timestamp(Date())
    let inputs = try inputTokens(request)
    let vectors = try await embeddings.vectors(of: inputs, dimensions: dimensions)
    let record = EmbeddingRecord(
      receiptID: "rcpt-" + Node.randomHex(16), responseID: "embd-" + Node.randomHex(12), model: model.digest,
      requestedName: name, request: request, inputTokens: inputs, dimensions: dimensions, vectors: vectors,
      software: Node.software, time: time, promise: promise?.given(at: Date()))
    let signed = try sign(record)
    try await keep(signed)
    let tokens = inputs.reduce(0) { $0 + $1.count }
    counters.withLock {
      $0.promptTokens += tokens
      $0.embeddings += vectors.count
    }
    return FinishedEmbeddings(
      receiptID: record.receiptID, responseID: record.responseID, vectors: vectors, promptTokens: tokens,
      signed: signed)
  }

  private func inputTokens(_ request: EmbeddingRequest) throws -> [[Int32]] {
    let config = model.manifest.config
    var inputs: [[Int32]] = []
    var total = 0
    for (i, input) in request.inputs.enumerated() {
      let tokens = try model.text.inputTokens(for: input)
      guard !tokens.isEmpty else { throw AnswerRefusal.emptyInput(index: i) }
      guard tokens.count <= config.contextLength else {
        throw AnswerRefusal.inputTooLong(index: i, tokens: tokens.count, contextLength: config.contextLength)
      }
      if let token = tokens.first(where: { $0 < 0 || Int($0) >= config.vocabularySize }) {
        throw AnswerRefusal.inputOutsideVocabulary(
          index: i, token: token, vocabularySize: config.vocabularySize)
      }
      total += tokens.count
      inputs.append(tokens)
    }
    guard total <= EvidenceLimits.tokensMax else {
      throw AnswerRefusal.tooManyTokens(total, max: EvidenceLimits.tokensMax)
    }
    return inputs
  }

  private func sign(_ record: EmbeddingRecord) throws -> SignedEvidence {
    guard let salt = Salt(Node.randomBytes(32)) else { preconditionFailure("32 bytes were drawn") }
    let (receipt, opening) = try signer.sign(record, salt: salt)
    let file = EvidenceFile(
      receipt: receipt.envelope, opening: .embedding(opening), model: model.manifestJSON, keys: keyHistory)
    return SignedEvidence(receipt: receipt, evidence: try file.bytes())
  }
}
