public import Digests
import ModelGraph

extension Statement {
  /// Reads a statement from the payload of an envelope.
  ///
  /// - Throws: ``Rejection`` naming the first member that is not as specified. Nothing is compared
  ///   with anything else here; that is what verification is for.
  public static func parse(_ payload: [UInt8]) throws(Rejection) -> Statement {
    let json = try Rejection.parse(.statement, payload, bytesMax: EvidenceLimits.payloadBytesMax)
    return try Rejection.reading(.statement) { () throws(FieldError) in try Statement(json) }
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
      "predicateType": .string(Statement.predicateType),
      "predicate": [
        "receiptId": .string(receiptID),
        "responseId": .string(responseID),
        "endpoint": .string(endpoint.rawValue),
        "model": model.json,
        "input": [
          "tokenCount": .integer(input.tokenCount),
          "tokenCommitment": .string(input.tokenCommitment.description),
          "promptCommitment": .string(input.promptCommitment.description),
          "truncation": .string(Input.truncation),
        ],
        "parameters": parameters.json,
        "nonce": ["source": .string(nonce.source.rawValue), "value": .string(Hex.string(nonce.value))],
        "output": [
          "tokenCount": .integer(output.tokenCount),
          "tokenCommitment": .string(output.tokenCommitment.description),
          "textCommitment": .string(output.textCommitment.description),
          "finishReason": .string(output.finish.reason),
          "finishDetail": .string(output.finish.rawValue),
        ],
        "stream": ["deliveredTokens": .integer(stream.deliveredTokens), "head": .string(stream.head.description)],
        "usage": [
          "promptTokens": .integer(usage.promptTokens),
          "completionTokens": .integer(usage.completionTokens),
          "totalTokens": .integer(usage.totalTokens),
        ],
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
    subject = try Subject(&root)
    _ = try root.choice("predicateType", [Statement.predicateType])
    var predicate = try root.fields("predicate")
    try root.finish()

    receiptID = try predicate.identifier("receiptId")
    responseID = try predicate.identifier("responseId")
    endpoint = try predicate.choice("endpoint", of: Endpoint.self)
    model = try Model(try predicate.fields("model"))
    input = try Input(try predicate.fields("input"))
    parameters = try SamplingParameters(
      json: try predicate.take("parameters"), path: predicate.path(of: "parameters"))
    nonce = try Nonce(try predicate.fields("nonce"))
    output = try Output(try predicate.fields("output"))
    stream = try Stream(try predicate.fields("stream"))
    usage = try Usage(try predicate.fields("usage"))
    try predicate.null("price")
    promise = try predicate.promise("promise")
    node = try Node(try predicate.fields("node"))
    time = try predicate.time("time")
    try predicate.finish()
  }
}

extension Statement: Equatable {
  /// Byte by byte: no Unicode equivalence.
  public static func == (a: Statement, b: Statement) -> Bool { a.json == b.json }
}

extension Statement.Subject {
  var json: JSON { [["name": .string(name), "digest": ["sha256": .string(digest.hex)]]] }

  init(_ root: inout JSONFields) throws(FieldError) {
    let items = try root.array("subject", countMax: 1)
    guard let first = items.first else { throw .outOfRange(path: "subject.count", value: 0, range: 1...1) }
    var fields = try JSONFields(first, path: "subject[0]")
    name = try fields.identifier("name")
    var digests = try fields.fields("digest")
    let bytes = try digests.hex("sha256", count: 32...32)
    guard let digest = Digest<Output>(bytes: bytes) else { preconditionFailure("32 bytes were checked") }
    self.digest = digest
    try digests.finish()
    try fields.finish()
  }
}

extension Statement.Model {
  var json: JSON {
    [
      "manifest": .string(manifest.description), "arithmetic": .string(arithmetic),
      "requestedName": .string(requestedName),
    ]
  }

  init(_ fields: JSONFields) throws(FieldError) {
    var fields = fields
    manifest = try fields.digest("manifest")
    arithmetic = try fields.choice("arithmetic", [ModelManifest.arithmetic])
    requestedName = try fields.string("requestedName", bytesMax: 256)
    try fields.finish()
  }
}

extension Statement.Input {
  fileprivate init(_ fields: JSONFields) throws(FieldError) {
    var fields = fields
    tokenCount = try fields.integer("tokenCount", 1...EvidenceLimits.tokensMax)
    tokenCommitment = try fields.digest("tokenCommitment")
    promptCommitment = try fields.digest("promptCommitment")
    _ = try fields.choice("truncation", [Statement.Input.truncation])
    try fields.finish()
  }
}

extension Statement.Nonce {
  fileprivate init(_ fields: JSONFields) throws(FieldError) {
    var fields = fields
    source = try fields.choice("source", of: Source.self)
    let count =
      switch source {
      case .client: 1...64
      case .node: 32...32
      case .none: 0...0
      }
    value = try fields.hex("value", count: count)
    try fields.finish()
  }
}

extension Statement.Output {
  fileprivate init(_ fields: JSONFields) throws(FieldError) {
    var fields = fields
    tokenCount = try fields.integer("tokenCount", 0...EvidenceLimits.tokensMax)
    tokenCommitment = try fields.digest("tokenCommitment")
    textCommitment = try fields.digest("textCommitment")
    let reason = try fields.choice("finishReason", ["stop", "length", "cancelled"])
    finish = try fields.choice("finishDetail", of: Finish.self)
    guard finish.reason == reason else {
      throw .notAllowed(path: fields.path(of: "finishDetail"), value: finish.rawValue, wanted: "a detail of \(reason)")
    }
    try fields.finish()
  }
}

extension Statement.Stream {
  fileprivate init(_ fields: JSONFields) throws(FieldError) {
    var fields = fields
    deliveredTokens = try fields.integer("deliveredTokens", 0...EvidenceLimits.tokensMax)
    head = try fields.digest("head")
    try fields.finish()
  }
}

extension Statement.Usage {
  fileprivate init(_ fields: JSONFields) throws(FieldError) {
    var fields = fields
    promptTokens = try fields.integer("promptTokens", 1...EvidenceLimits.tokensMax)
    completionTokens = try fields.integer("completionTokens", 0...EvidenceLimits.tokensMax)
    totalTokens = try fields.integer("totalTokens", 1...(2 * EvidenceLimits.tokensMax))
    try fields.finish()
  }
}

extension Statement.Node {
  var json: JSON { ["publicKey": .string(publicKey.hex), "software": .string(software)] }

  init(_ fields: JSONFields) throws(FieldError) {
    var fields = fields
    publicKey = try fields.publicKey("publicKey")
    software = try fields.string("software", bytesMax: 128)
    try fields.finish()
  }
}

extension JSONFields {
  /// One of the raw values of `Choice`.
  fileprivate mutating func choice<Choice: RawRepresentable<String> & CaseIterable>(
    _ key: String, of _: Choice.Type
  ) throws(FieldError) -> Choice {
    let text = try choice(key, Choice.allCases.map(\.rawValue))
    guard let value = Choice(rawValue: text) else { preconditionFailure("the text was compared with every raw value") }
    return value
  }
}
