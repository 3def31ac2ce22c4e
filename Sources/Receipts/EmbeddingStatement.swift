public import Digests
import ModelGraph

/// What a node asserts about the embeddings of one request.
///
/// An in-toto Statement v1. Members are in the order of the specification and have its names.
///
/// Source: docs/spec/evidence.md, section 11.
public struct EmbeddingStatement: Sendable {
  public static let predicateType = "https://evident.dev/embedding/v1"
  public static let endpoint = "embeddings"

  public let subject: Statement.Subject<Commitment.Vectors>
  public let receiptID: String
  public let responseID: String
  public let model: Statement.Model
  public let input: Input
  /// How many elements each vector has, as applied: the first ones of the model's.
  public let dimensions: Int
  public let output: Output
  public let usage: Usage
  /// nil when nothing is promised.
  public internal(set) var promise: Statement.Promise?
  public let node: Statement.Node
  /// RFC 3339, UTC, to the second.
  public let time: String

  public struct Input: Sendable {
    /// Texts, or lists of tokens.
    public let count: Int
    /// Of all of them together.
    public let tokenCount: Int
    public let tokenCommitment: Digest<Commitment.EmbeddingInputs>
    public let promptCommitment: Digest<Commitment.Prompt>

    init(
      count: Int, tokenCount: Int, tokenCommitment: Digest<Commitment.EmbeddingInputs>,
      promptCommitment: Digest<Commitment.Prompt>
    ) {
      self.count = count
      self.tokenCount = tokenCount
      self.tokenCommitment = tokenCommitment
      self.promptCommitment = promptCommitment
    }
  }

  public struct Output: Sendable {
    public let count: Int
    public let vectorCommitment: Digest<Commitment.Vectors>

    init(count: Int, vectorCommitment: Digest<Commitment.Vectors>) {
      self.count = count
      self.vectorCommitment = vectorCommitment
    }
  }

  public struct Usage: Sendable {
    public let promptTokens: Int
    public let totalTokens: Int

    init(promptTokens: Int, totalTokens: Int) {
      self.promptTokens = promptTokens
      self.totalTokens = totalTokens
    }
  }
}

extension EmbeddingStatement {
  /// The statement about a record; the same record and salt give the same bytes.
  init(_ record: EmbeddingRecord, salt: Salt, key: NodePublicKey) {
    let vectors = Commitment.vectors(record.vectors, salt: salt)
    let tokens = record.inputTokens.reduce(0) { $0 + $1.count }
    subject = .init(name: record.responseID, digest: vectors)
    receiptID = record.receiptID
    responseID = record.responseID
    model = .init(
      manifest: record.model, arithmetic: ModelManifest.arithmetic, requestedName: record.requestedName)
    input = Input(
      count: record.inputTokens.count, tokenCount: tokens,
      tokenCommitment: Commitment.embeddingInputs(record.inputTokens, salt: salt),
      promptCommitment: Commitment.prompt(record.request, salt: salt))
    dimensions = record.dimensions
    output = Output(count: record.vectors.count, vectorCommitment: vectors)
    usage = Usage(promptTokens: tokens, totalTokens: tokens)
    promise = record.promise
    node = .init(publicKey: key, software: record.software)
    time = record.time
  }

  /// The bytes that are signed: canonical JSON.
  public var payload: [UInt8] {
    guard let bytes = try? json.canonicalBytes() else { preconditionFailure("a statement holds small integers only") }
    return bytes
  }

  public var json: JSON {
    [
      "_type": .string(Statement.type),
      "subject": subject.json,
      "predicateType": .string(EmbeddingStatement.predicateType),
      "predicate": [
        "receiptId": .string(receiptID),
        "responseId": .string(responseID),
        "endpoint": .string(EmbeddingStatement.endpoint),
        "model": model.json,
        "input": [
          "count": .integer(input.count),
          "tokenCount": .integer(input.tokenCount),
          "tokenCommitment": .string(input.tokenCommitment.description),
          "promptCommitment": .string(input.promptCommitment.description),
          "truncation": .string(Statement.Input.truncation),
        ],
        "parameters": ["dimensions": .integer(dimensions)],
        "output": [
          "count": .integer(output.count),
          "vectorCommitment": .string(output.vectorCommitment.description),
        ],
        "usage": ["promptTokens": .integer(usage.promptTokens), "totalTokens": .integer(usage.totalTokens)],
        "price": .null,
        "promise": promise?.json ?? .null,
        "node": node.json,
        "time": .string(time),
      ],
    ]
  }

  init(_ json: JSON) throws(FieldError) {
    var root = try JSONFields(json, path: "")
    _ = try root.choice("_type", [Statement.type])
    subject = try .init(&root)
    _ = try root.choice("predicateType", [EmbeddingStatement.predicateType])
    var predicate = try root.fields("predicate")
    try root.finish()

    receiptID = try predicate.identifier("receiptId")
    responseID = try predicate.identifier("responseId")
    _ = try predicate.choice("endpoint", [EmbeddingStatement.endpoint])
    model = try .init(try predicate.fields("model"))
    var input = try predicate.fields("input")
    self.input = Input(
      count: try input.integer("count", 1...EvidenceLimits.embeddingInputsMax),
      tokenCount: try input.integer("tokenCount", 1...EvidenceLimits.tokensMax),
      tokenCommitment: try input.digest("tokenCommitment"), promptCommitment: try input.digest("promptCommitment"))
    _ = try input.choice("truncation", [Statement.Input.truncation])
    try input.finish()
    var parameters = try predicate.fields("parameters")
    dimensions = try parameters.integer("dimensions", 1...EvidenceLimits.dimensionsMax)
    try parameters.finish()
    var output = try predicate.fields("output")
    self.output = Output(
      count: try output.integer("count", 1...EvidenceLimits.embeddingInputsMax),
      vectorCommitment: try output.digest("vectorCommitment"))
    try output.finish()
    var usage = try predicate.fields("usage")
    self.usage = Usage(
      promptTokens: try usage.integer("promptTokens", 1...EvidenceLimits.tokensMax),
      totalTokens: try usage.integer("totalTokens", 1...EvidenceLimits.tokensMax))
    try usage.finish()
    try predicate.null("price")
    promise = try predicate.promise("promise")
    node = try .init(try predicate.fields("node"))
    time = try predicate.time("time")
    try predicate.finish()
  }
}
