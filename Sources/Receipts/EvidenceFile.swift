public import Digests
public import Transparency

/// Receipt, opening, model manifest and the public log's proof in one file: all that checking needs, and no network.
///
/// Reading one checks its form only.
///
/// Source: docs/spec/evidence.md, section 8.
public struct EvidenceFile: Sendable, Equatable {
  public static let schema = "evident.evidence.v1"

  public let receipt: Envelope
  /// nil when whoever made the file no longer had it or keeps it private.
  public let opening: OpenedClaim?
  /// The model manifest. Whether it is the stated one is for verification to find out.
  public let model: JSON
  /// That the receipt's envelope is in a log; nil while that is pending, and when no log was promised.
  public var log: InclusionEvidence?
  /// Successions and revocations of the node's key, in the order in which they were logged.
  public var keys: [LoggedEntry]

  public init(
    receipt: Envelope, opening: OpenedClaim?, model: JSON, log: InclusionEvidence? = nil, keys: [LoggedEntry] = []
  ) {
    self.receipt = receipt
    self.opening = opening
    self.model = model
    self.log = log
    self.keys = keys
  }

  public var json: JSON {
    [
      "schema": .string(EvidenceFile.schema),
      "receipt": receipt.json,
      "opening": opening?.json ?? .null,
      "model": model,
      "log": log?.json ?? .null,
      "keys": .array(keys.map(\.json)),
    ]
  }

  /// The file: canonical JSON.
  ///
  /// - Throws: ``CanonicalJSONError`` when ``model`` holds a number that is not a small integer; a
  ///   model manifest never does.
  public func bytes() throws(CanonicalJSONError) -> [UInt8] { try json.canonicalBytes() }

  /// White space and the order of members are free in the file: what is signed and what is digested
  /// is fixed by its own canonical form.
  ///
  /// - Throws: ``Rejection`` naming the part and the member that is not as specified.
  public static func parse(_ bytes: [UInt8]) throws(Rejection) -> EvidenceFile {
    let json = try Rejection.parse(.file, bytes, bytesMax: EvidenceLimits.fileBytesMax)
    return try Rejection.reading(.file) { () throws(FieldError) in try EvidenceFile(json) }
  }

  package init(_ json: JSON) throws(FieldError) {
    var fields = try JSONFields(json, path: "")
    _ = try fields.choice("schema", [EvidenceFile.schema])
    receipt = try Envelope(try fields.take("receipt"), path: "receipt")
    let opening = try fields.take("opening")
    self.opening = opening.isNull ? nil : try OpenedClaim(opening, path: "opening")
    model = try fields.take("model")
    guard model.object != nil else { throw .wrongType(path: "model", wanted: "an object", found: model.kind) }
    let log = try fields.take("log")
    self.log = log.isNull ? nil : try InclusionEvidence(log, path: "log")
    var keys: [LoggedEntry] = []
    for (i, item) in try fields.array("keys", countMax: EvidenceLimits.keysMax).enumerated() {
      keys.append(try LoggedEntry(item, path: "keys[\(i)]"))
    }
    self.keys = keys
    try fields.finish()
    try EvidenceFile.requirePlainIntegers(model) { "model" }
  }

  /// Canonical JSON would make one spelling of many; here there is only the one. Depth is bounded by
  /// the parser.
  private static func requirePlainIntegers(_ value: JSON, path: () -> String) throws(FieldError) {
    switch value {
    case .number: _ = try JSONFields.integer(value, path: path(), -(1 << 53 - 1)...(1 << 53 - 1))
    case .array(let items):
      for (i, item) in items.enumerated() { try requirePlainIntegers(item) { "\(path())[\(i)]" } }
    case .object(let object):
      for member in object.members { try requirePlainIntegers(member.value) { "\(path()).\(member.key.prefix(80))" } }
    case .null, .bool, .string: break
    }
  }
}
