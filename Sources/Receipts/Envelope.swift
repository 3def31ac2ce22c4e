public import Digests

/// A DSSE envelope with one signature: bytes, what kind of bytes, and who signed them.
///
/// Reading one checks its form only.
///
/// Source: docs/spec/evidence.md, section 2; DSSE v1.0.2.
public struct Envelope: Sendable, Equatable {
  public static let payloadType = "application/vnd.in-toto+json"

  /// The signed bytes.
  public let payload: [UInt8]
  /// The name of the key: SHA-256 of its 32 bytes.
  public let keyID: Digest<NodePublicKey>
  /// 64 bytes.
  public let signature: [UInt8]

  public init(payload: [UInt8], keyID: Digest<NodePublicKey>, signature: [UInt8]) {
    precondition(signature.count == 64)
    self.payload = payload
    self.keyID = keyID
    self.signature = signature
  }

  /// Signs `payload`.
  public init(signing payload: [UInt8], with key: NodeSigningKey) {
    self.init(
      payload: payload, keyID: key.publicKey.id,
      signature: key.sign(Envelope.preAuthenticationEncoding(of: payload)))
  }

  /// What is signed: kind and bytes, each with its length, so that neither can pass for the other.
  public static func preAuthenticationEncoding(of payload: [UInt8]) -> [UInt8] {
    Array("DSSEv1 \(payloadType.utf8.count) \(payloadType) \(payload.count) ".utf8) + payload
  }

  /// Whether `key` made the signature.
  public func isSigned(by key: NodePublicKey) -> Bool {
    key.verifies(signature, of: Envelope.preAuthenticationEncoding(of: payload))
  }

  public var json: JSON {
    [
      "payload": .string(Base64.string(payload)),
      "payloadType": .string(Envelope.payloadType),
      "signatures": [["keyid": .string(keyID.hex), "sig": .string(Base64.string(signature))]],
    ]
  }

  /// The envelope as a file: canonical JSON.
  public var bytes: [UInt8] {
    guard let bytes = try? json.canonicalBytes() else { preconditionFailure("an envelope holds strings only") }
    return bytes
  }

  /// - Throws: ``Rejection`` naming the first member that is not as specified.
  public static func parse(_ bytes: [UInt8]) throws(Rejection) -> Envelope {
    try read(Rejection.parse(.envelope, bytes, bytesMax: EvidenceLimits.envelopeBytesMax))
  }

  static func read(_ json: JSON) throws(Rejection) -> Envelope {
    try Rejection.reading(.envelope) { () throws(FieldError) in try Envelope(json, path: "") }
  }

  init(_ json: JSON, path: String) throws(FieldError) {
    var fields = try JSONFields(json, path: path)
    payload = try fields.base64("payload", bytesMax: EvidenceLimits.payloadBytesMax)
    _ = try fields.choice("payloadType", [Envelope.payloadType])
    let signatures = try fields.array("signatures", countMax: 1)
    let signaturesPath = fields.path(of: "signatures")
    guard let first = signatures.first else {
      throw .outOfRange(path: signaturesPath + ".count", value: 0, range: 1...1)
    }
    var entry = try JSONFields(first, path: signaturesPath + "[0]")
    let id = try entry.hex("keyid", count: 32...32)
    guard let keyID = Digest<NodePublicKey>(bytes: id) else { preconditionFailure("32 bytes were checked") }
    self.keyID = keyID
    signature = try entry.base64("sig", count: 64)
    try entry.finish()
    try fields.finish()
  }
}
