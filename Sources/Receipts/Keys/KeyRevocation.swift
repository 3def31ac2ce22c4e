public import Digests

/// From some time on, nothing that a key signed is to be believed.
///
/// Source: docs/spec/evidence.md, section 12.
public struct KeyRevocation: Sendable, Equatable {
  public static let predicateType = "https://evident.dev/key-revocation/v1"
  public static let reasonBytesMax = 1024

  public let key: NodePublicKey
  /// RFC 3339, UTC, to the second. What a quorum saw in a log before stays valid.
  public let from: String
  /// In words.
  public let reason: String
  /// Signs the envelope: the key itself, or its direct successor.
  public let signer: NodePublicKey

  /// - Parameters:
  ///   - from: RFC 3339, UTC, to the second.
  ///   - reason: at most ``reasonBytesMax`` bytes.
  public init(key: NodePublicKey, from: String, reason: String, signer: NodePublicKey) {
    self.key = key
    self.from = from
    self.reason = reason
    self.signer = signer
  }

  public var json: JSON {
    [
      "_type": .string(Statement.type),
      "subject": Statement.Subject(name: key.hex, digest: key.id).json,
      "predicateType": .string(KeyRevocation.predicateType),
      "predicate": [
        "key": .string(key.hex), "from": .string(from), "reason": .string(reason), "signer": .string(signer.hex),
      ],
    ]
  }

  init(_ json: JSON) throws(FieldError) {
    var root = try JSONFields(json, path: "")
    _ = try root.choice("_type", [Statement.type])
    let subject = try Statement.Subject<NodePublicKey>(&root)
    _ = try root.choice("predicateType", [KeyRevocation.predicateType])
    var predicate = try root.fields("predicate")
    try root.finish()
    key = try predicate.publicKey("key")
    from = try predicate.time("from")
    reason = try predicate.string("reason", bytesMax: KeyRevocation.reasonBytesMax)
    signer = try predicate.publicKey("signer")
    try predicate.finish()
    try subject.require(key)
  }

  /// Byte by byte: no Unicode equivalence.
  public static func == (a: KeyRevocation, b: KeyRevocation) -> Bool { a.json == b.json }
}
