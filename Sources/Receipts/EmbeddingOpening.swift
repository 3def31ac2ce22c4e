public import Digests
public import ModelGraph

/// What embeddings were asked for, as it was applied.
public struct EmbeddingRequest: Sendable {
  public enum Input: Sendable, Equatable {
    case text(String)
    /// Token ids, used as they are.
    case tokens([Int32])
  }
  public let inputs: [Input]

  public init(inputs: [Input]) { self.inputs = inputs }

  public var json: JSON {
    [
      "input": .array(
        inputs.map { input in
          switch input {
          case .text(let text): .string(text)
          case .tokens(let tokens): .array(tokens.map { .integer(Int($0)) })
          }
        })
    ]
  }

  /// What a receipt commits to.
  public var canonicalBytes: [UInt8] {
    guard let bytes = try? json.canonicalBytes() else { preconditionFailure("a request holds small integers only") }
    return bytes
  }

  init(_ value: JSON, path: String) throws(FieldError) {
    var fields = try JSONFields(value, path: path)
    var inputs: [Input] = []
    for (i, item) in try fields.array("input", countMax: EvidenceLimits.embeddingInputsMax).enumerated() {
      let path = "\(fields.path(of: "input"))[\(i)]"
      if item.array != nil {
        inputs.append(.tokens(try JSONFields.tokens(item, path: path)))
      } else {
        inputs.append(.text(try JSONFields.string(item, path: path, bytesMax: EvidenceLimits.textBytesMax)))
      }
    }
    try fields.finish()
    self.inputs = inputs
  }
}

extension EmbeddingRequest: Equatable {
  /// Byte by byte: no Unicode equivalence.
  public static func == (a: EmbeddingRequest, b: EmbeddingRequest) -> Bool { a.json == b.json }
}

/// What a receipt about embeddings commits to, shown.
///
/// Source: docs/spec/evidence.md, section 11.
public struct EmbeddingOpening: Sendable, Equatable {
  public let salt: Salt
  public let request: EmbeddingRequest
  /// One list for each input.
  public let inputTokens: [[Int32]]
  /// One for each input.
  public let vectors: [EmbeddingVector]

  public init(salt: Salt, request: EmbeddingRequest, inputTokens: [[Int32]], vectors: [EmbeddingVector]) {
    self.salt = salt
    self.request = request
    self.inputTokens = inputTokens
    self.vectors = vectors
  }

  public var json: JSON {
    [
      "salt": .string(Hex.string(salt.bytes)),
      "request": request.json,
      "inputTokens": .array(inputTokens.map { .array($0.map { .integer(Int($0)) }) }),
      "vectors": .array(
        vectors.map {
          ["exponent": .integer($0.exponent), "values": .array($0.values.map { .integer(Int($0)) })]
        }),
    ]
  }

  init(_ value: JSON, path: String) throws(FieldError) {
    var fields = try JSONFields(value, path: path)
    salt = try fields.salt("salt")
    request = try EmbeddingRequest(try fields.take("request"), path: fields.path(of: "request"))
    var inputTokens: [[Int32]] = []
    for (i, item) in try fields.array("inputTokens", countMax: EvidenceLimits.embeddingInputsMax).enumerated() {
      inputTokens.append(try JSONFields.tokens(item, path: "\(fields.path(of: "inputTokens"))[\(i)]"))
    }
    var vectors: [EmbeddingVector] = []
    var elements = 0
    for (i, item) in try fields.array("vectors", countMax: EvidenceLimits.embeddingInputsMax).enumerated() {
      var vector = try JSONFields(item, path: "\(fields.path(of: "vectors"))[\(i)]")
      let exponent = try vector.integer("exponent", -64...64)
      var values: [Int32] = []
      for (c, element) in try vector.array("values", countMax: EvidenceLimits.dimensionsMax).enumerated() {
        let path = "\(vector.path(of: "values"))[\(c)]"
        values.append(Int32(try JSONFields.integer(element, path: path, -(1 << 24)...(1 << 24))))
      }
      try vector.finish()
      elements += values.count
      guard elements <= EvidenceLimits.embeddingElementsMax else {
        throw .outOfRange(
          path: vector.path(of: "values") + ".total", value: elements, range: 0...EvidenceLimits.embeddingElementsMax)
      }
      vectors.append(EmbeddingVector(values: values, exponent: exponent))
    }
    try fields.finish()
    self.inputTokens = inputTokens
    self.vectors = vectors
  }
}

/// Everything a node knows about the embeddings of one request.
public struct EmbeddingRecord: Sendable {
  public var receiptID: String
  public var responseID: String
  public var model: Digest<ModelManifest>
  /// The model's name in the request.
  public var requestedName: String
  public var request: EmbeddingRequest
  public var inputTokens: [[Int32]]
  public var dimensions: Int
  public var vectors: [EmbeddingVector]
  /// Name and version, such as `evident 0.1.0`.
  public var software: String
  /// RFC 3339, UTC, to the second.
  public var time: String
  /// nil when nothing is promised.
  public var promise: Statement.Promise?

  public init(
    receiptID: String, responseID: String, model: Digest<ModelManifest>, requestedName: String,
    request: EmbeddingRequest, inputTokens: [[Int32]], dimensions: Int, vectors: [EmbeddingVector],
    software: String, time: String, promise: Statement.Promise? = nil
  ) {
    self.receiptID = receiptID
    self.responseID = responseID
    self.model = model
    self.requestedName = requestedName
    self.request = request
    self.inputTokens = inputTokens
    self.dimensions = dimensions
    self.vectors = vectors
    self.software = software
    self.time = time
    self.promise = promise
  }
}
