public import Digests
public import ModelGraph
public import Receipts
public import Transparency

/// What exactly is wrong with evidence. Every case carries what was stated and what was found.
public enum Refutation: Error, Sendable, Equatable {
  // Form.
  case malformed(Rejection)
  case payloadNotCanonical(firstDifferenceAt: Int)
  // Who signed.
  case signatureInvalid(key: NodePublicKey)
  case keyIDMismatch(stated: Digest<NodePublicKey>, found: Digest<NodePublicKey>)
  case keyNotExpected(NodePublicKey)
  // The statement against itself.
  case subjectNameMismatch(subject: String, responseID: String)
  /// In hex.
  case subjectDigestMismatch(subject: String, output: String)
  case usageMismatch(path: String, stated: Int, found: Int)
  case randomnessUnbound(temperatureMicros: Int)
  case nodeNonceBesideSeed(seed: UInt64)
  case nonceNotExpected(stated: [UInt8], sent: [UInt8])
  case deliveredMoreThanGenerated(delivered: Int, generated: Int)
  case deliveredLessThanGenerated(delivered: Int, generated: Int, Finish)
  // The model.
  case modelDigestMismatch(stated: Digest<ModelManifest>, found: Digest<ModelManifest>)
  case modelManifestMalformed(ManifestRejection)
  case modelNotExpected(Digest<ModelManifest>)
  case biasOutsideVocabulary(token: Int32, vocabularySize: Int)
  case dimensionsExceeded(dimensions: Int, hiddenSize: Int)
  case notAnEncoder
  case contextExceeded(promptTokens: Int, maxTokens: Int, contextLength: Int)
  // The opening.
  case endpointMismatch(stated: Statement.Endpoint, opened: Statement.Endpoint)
  case promptMismatch(stated: Digest<Commitment.Prompt>, found: Digest<Commitment.Prompt>)
  case openingOfAnotherKind
  case requestNotExpected
  case inputTokenCountMismatch(stated: Int, opened: Int)
  case inputTokensMismatch(stated: Digest<Commitment.InputTokens>, found: Digest<Commitment.InputTokens>)
  case outputTokenCountMismatch(stated: Int, opened: Int)
  case outputTokensMismatch(stated: Digest<Commitment.OutputTokens>, found: Digest<Commitment.OutputTokens>)
  case inputTokenOutsideVocabulary(index: Int, token: Int32, vocabularySize: Int)
  case outputTokenOutsideVocabulary(index: Int, token: Int32, vocabularySize: Int)
  case textMismatch(stated: Digest<Commitment.Text>, found: Digest<Commitment.Text>)
  case textNotExpected
  case inputCountMismatch(stated: Int, opened: Int)
  case emptyInput(index: Int)
  case inputTooLong(index: Int, tokens: Int, contextLength: Int)
  case embeddingInputsMismatch(
    stated: Digest<Commitment.EmbeddingInputs>, found: Digest<Commitment.EmbeddingInputs>)
  case vectorCountMismatch(stated: Int, inputs: Int, opened: Int)
  case vectorLengthMismatch(index: Int, stated: Int, opened: Int)
  case vectorsMismatch(stated: Digest<Commitment.Vectors>, found: Digest<Commitment.Vectors>)
  case vectorsNotExpected
  case streamHeadMismatch(stated: Digest<AnswerChain>, found: Digest<AnswerChain>)
  // How it ended.
  case endOfSequenceMissing(Finish, lastToken: Int32?)
  case endOfSequenceInside(index: Int, token: Int32)
  case tokenLimitNotReached(count: Int, maxTokens: Int)
  case tokenLimitPassed(count: Int, maxTokens: Int)
  case tokenLimitHidden(count: Int, Finish)
  case noTokens(Finish)
  case noStopStrings
  // The public log.
  case notIncluded(ProofRejection)
  case checkpointRefused(CheckpointRejection)
  case logNotPromised(NoteVerifierKey, promised: NoteVerifierKey)
  case cosignatureRefused(CheckpointRejection)
  case quorumNotReached(QuorumShortfall)
  case promiseBeforeStatement(loggedBy: String, time: String)
  case loggedBeforeStatement(seen: String, time: String)
  case promiseBroken(log: NoteVerifierKey, loggedBy: String, size: UInt64, seen: String)
  /// Two histories, both signed by the log: what the file's checkpoint says of its first entries, and what they are.
  case logForked(log: NoteVerifierKey, size: UInt64, stated: MerkleHash, found: MerkleHash)
  case keyHistoryRefused(KeyHistoryFault)
  case keyHistoryOfAnother(NodePublicKey)
  /// `seen`: when the quorum saw the receipt, `logged`: when it saw the revocation; nil when nothing shows it.
  case keyRevoked(NodePublicKey, from: String, seen: String?, logged: String?)
  // With the model's files.
  case requestNotRenderable(String)
  case renderingDiffers(firstDifferenceAt: Int, rendered: Int, opened: Int)
  case tokensNotDecodable(String)
  case stopStringMissing
  case stopStringEarlier(tokens: Int)
  case stopStringIgnored(Finish)
  case textDiffers(firstDifferenceAt: Int)
  // With the model itself.
  case tokenDiffers(index: Int, stated: Int32, recomputed: Int32)
  case vectorDiffers(index: Int, firstDifferenceAt: Int)
}
