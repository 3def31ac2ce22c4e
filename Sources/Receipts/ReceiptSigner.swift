public import Digests
public import ModelGraph

/// Everything a node knows about one answer when it ends.
public struct AnswerRecord: Sendable {
  public var receiptID: String
  public var responseID: String
  public var model: Digest<ModelManifest>
  /// The model's name in the request.
  public var requestedName: String
  /// As applied: roles and texts exactly as they went into the chat template.
  public var request: Request
  public var inputTokens: [Int32]
  public var parameters: SamplingParameters
  public var nonce: Statement.Nonce
  /// The end-of-sequence token included, when the model chose it.
  public var outputTokens: [Int32]
  public var text: String
  public var finish: Finish
  /// How many of `outputTokens` left the node: all of them, unless `finish` is a cancellation.
  public var deliveredTokens: Int
  /// Name and version, such as `evident 0.1.0`.
  public var software: String
  /// RFC 3339, UTC, to the second.
  public var time: String
  /// nil when nothing is promised.
  public var promise: Statement.Promise?

  public init(
    receiptID: String, responseID: String, model: Digest<ModelManifest>, requestedName: String, request: Request,
    inputTokens: [Int32], parameters: SamplingParameters, nonce: Statement.Nonce, outputTokens: [Int32],
    text: String, finish: Finish, deliveredTokens: Int, software: String, time: String,
    promise: Statement.Promise? = nil
  ) {
    self.receiptID = receiptID
    self.responseID = responseID
    self.model = model
    self.requestedName = requestedName
    self.request = request
    self.inputTokens = inputTokens
    self.parameters = parameters
    self.nonce = nonce
    self.outputTokens = outputTokens
    self.text = text
    self.finish = finish
    self.deliveredTokens = deliveredTokens
    self.software = software
    self.time = time
    self.promise = promise
  }
}

/// Makes receipts in the name of one node. Salts come from outside: nothing here is random.
public struct ReceiptSigner: Sendable {
  let key: NodeSigningKey
  public var publicKey: NodePublicKey { key.publicKey }

  public init(key: NodeSigningKey) { self.key = key }

  /// The statement about an answer; the same record and salt give the same bytes.
  public func statement(_ record: AnswerRecord, salt: Salt) -> Statement {
    precondition((0...record.outputTokens.count).contains(record.deliveredTokens))
    let outputCommitment = Commitment.outputTokens(record.outputTokens, salt: salt)
    let chain = AnswerChain(
      salt: salt, receiptID: record.receiptID, tokens: record.outputTokens.prefix(record.deliveredTokens))
    return Statement(
      subject: .init(name: record.responseID, digest: outputCommitment),
      receiptID: record.receiptID,
      responseID: record.responseID,
      endpoint: record.request.endpoint,
      model: .init(
        manifest: record.model, arithmetic: ModelManifest.arithmetic, requestedName: record.requestedName),
      input: .init(
        tokenCount: record.inputTokens.count,
        tokenCommitment: Commitment.inputTokens(record.inputTokens, salt: salt),
        promptCommitment: Commitment.prompt(record.request, salt: salt)),
      parameters: record.parameters,
      nonce: record.nonce,
      output: .init(
        tokenCount: record.outputTokens.count, tokenCommitment: outputCommitment,
        textCommitment: Commitment.text(record.text, salt: salt), finish: record.finish),
      stream: .init(deliveredTokens: record.deliveredTokens, head: chain.head),
      usage: .init(
        promptTokens: record.inputTokens.count, completionTokens: record.outputTokens.count,
        totalTokens: record.inputTokens.count + record.outputTokens.count),
      promise: record.promise,
      node: .init(publicKey: key.publicKey, software: record.software),
      time: record.time)
  }

  /// Signs the statement about an answer, and gives the opening that goes with it.
  ///
  /// A promise is left out where the envelope is too long to be an entry of a log.
  ///
  /// - Throws: ``Rejection`` when the record holds something that no statement can say, such as a
  ///   name that is too long. What is returned can always be read back.
  public func sign(
    _ record: AnswerRecord, salt: Salt
  ) throws(Rejection) -> (receipt: SignedReceipt, opening: Opening) {
    var statement = statement(record, salt: salt)
    var envelope = Envelope(signing: statement.payload, with: key)
    if statement.promise != nil && envelope.bytes.count > Statement.Promise.envelopeBytesMax {
      statement.promise = nil
      envelope = Envelope(signing: statement.payload, with: key)
    }
    let opening = Opening(
      salt: salt, request: record.request, inputTokens: record.inputTokens, outputTokens: record.outputTokens,
      text: record.text)
    _ = try Rejection.reading(.file) { () throws(FieldError) in try Opening(opening.json, path: "opening") }
    return (try SignedReceipt(envelope), opening)
  }

  /// Signs the statement about embeddings, and gives the opening that goes with it.
  ///
  /// - Throws: ``Rejection`` when the record holds something that no statement can say.
  public func sign(
    _ record: EmbeddingRecord, salt: Salt
  ) throws(Rejection) -> (receipt: SignedReceipt, opening: EmbeddingOpening) {
    let statement = EmbeddingStatement(record, salt: salt, key: key.publicKey)
    let opening = EmbeddingOpening(
      salt: salt, request: record.request, inputTokens: record.inputTokens, vectors: record.vectors)
    _ = try Rejection.reading(.file) { () throws(FieldError) in try EmbeddingOpening(opening.json, path: "opening") }
    return (try SignedReceipt(Envelope(signing: statement.payload, with: key)), opening)
  }
}
