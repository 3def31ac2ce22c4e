public import Digests

/// A node's old key names its new one, and the new one agrees.
///
/// Source: docs/spec/evidence.md, section 12.
public struct KeySuccession: Sendable, Equatable {
  public static let predicateType = "https://evident.dev/key-succession/v1"

  /// Signs the envelope.
  public let from: NodePublicKey
  public let to: NodePublicKey
  /// RFC 3339, UTC, to the second.
  public let time: String
  /// 64 bytes: the new key's signature, without which anyone could name anyone's key.
  public let consent: [UInt8]

  /// - Parameter time: RFC 3339, UTC, to the second.
  public init(from: NodePublicKey, to: NodeSigningKey, time: String) {
    self.from = from
    self.to = to.publicKey
    self.time = time
    consent = to.sign(KeySuccession.consentMessage(from: from, to: to.publicKey, time: time))
  }

  /// Whether the new key agreed.
  public var hasConsent: Bool {
    to.verifies(consent, of: KeySuccession.consentMessage(from: from, to: to, time: time))
  }

  static func consentMessage(from: NodePublicKey, to: NodePublicKey, time: String) -> [UInt8] {
    DomainTag.keySuccession.digest(from.bytes, to.bytes, Array(time.utf8), as: KeySuccession.self).bytes
  }

  public var json: JSON {
    [
      "_type": .string(Statement.type),
      "subject": Statement.Subject(name: to.hex, digest: to.id).json,
      "predicateType": .string(KeySuccession.predicateType),
      "predicate": [
        "from": .string(from.hex), "to": .string(to.hex), "time": .string(time),
        "consent": .string(Base64.string(consent)),
      ],
    ]
  }

  init(_ json: JSON) throws(FieldError) {
    var root = try JSONFields(json, path: "")
    _ = try root.choice("_type", [Statement.type])
    let subject = try Statement.Subject<NodePublicKey>(&root)
    _ = try root.choice("predicateType", [KeySuccession.predicateType])
    var predicate = try root.fields("predicate")
    try root.finish()
    from = try predicate.publicKey("from")
    to = try predicate.publicKey("to")
    time = try predicate.time("time")
    consent = try predicate.base64("consent", count: 64)
    try predicate.finish()
    guard to != from else {
      throw .notAllowed(path: "predicate.to", value: to.hex, wanted: "another key than the old one")
    }
    try subject.require(to)
  }
}

extension Statement.Subject<NodePublicKey> {
  /// The subject of an entry about keys is the key: its hex as name, its key ID as digest.
  func require(_ key: NodePublicKey) throws(FieldError) {
    guard name == key.hex else { throw .notAllowed(path: "subject[0].name", value: name, wanted: key.hex) }
    guard digest == key.id else {
      throw .notAllowed(path: "subject[0].digest.sha256", value: digest.hex, wanted: key.id.hex)
    }
  }
}
