import Digests
import Receipts

/// A signature file: a Sigstore bundle around a DSSE envelope that a key has signed.
///
/// Reading one checks its form only.
///
/// Source: docs/spec/signing.md, section 1; Sigstore bundle format 0.3; DSSE v1.0.2.
public struct SignatureBundle: Sendable, Equatable {
  public static let mediaType = "application/vnd.dev.sigstore.bundle.v0.3+json"

  /// The signed bytes: a ``ModelStatement``.
  public let payload: [UInt8]
  /// DER.
  public let signature: [UInt8]
  /// The fingerprint of the key; nil when the file does not name it. Nobody has signed it.
  public let keyFingerprint: String?

  /// Signs `payload`.
  public init(signing payload: [UInt8], with key: SigningPrivateKey) {
    self.payload = payload
    signature = key.sign(Envelope.preAuthenticationEncoding(of: payload))
    keyFingerprint = key.publicKey.fingerprint
  }

  /// - Throws: ``SignatureRejection`` naming the first member that is not as specified.
  public init(_ bytes: [UInt8]) throws(SignatureRejection) {
    let json: JSON
    do {
      json = try JSON.parse(
        bytes, bytesMax: SignatureLimits.bundleBytesMax, depthMax: SignatureLimits.depthMax)
    } catch {
      throw .notJSON(.bundle, error)
    }
    let parts: Parts
    do { parts = try Parts(json) } catch { throw .field(.bundle, error) }
    guard !parts.hasCertificate else { throw .unsupported(.certificate) }
    payload = parts.payload
    signature = parts.signature
    keyFingerprint = parts.hint.isEmpty ? nil : parts.hint
  }

  /// Whether `key` made the signature.
  public func isSigned(by key: SigningPublicKey) -> Bool {
    key.verifies(signature, of: Envelope.preAuthenticationEncoding(of: payload))
  }

  /// The bundle as a file.
  public var bytes: [UInt8] {
    let json: JSON = [
      "mediaType": .string(SignatureBundle.mediaType),
      "verificationMaterial": [
        "publicKey": ["hint": .string(keyFingerprint ?? "")], "tlogEntries": [],
      ],
      "dsseEnvelope": [
        "payload": .string(Base64.string(payload)),
        "payloadType": .string(Envelope.payloadType),
        "signatures": [["sig": .string(Base64.string(signature)), "keyid": ""]],
      ],
    ]
    return Array(json.text().utf8)
  }

  /// What the members hold, when all are as they should be.
  private struct Parts {
    var hasCertificate = false
    var hint = ""
    var payload: [UInt8] = []
    var signature: [UInt8] = []

    init(_ json: JSON) throws(FieldError) {
      var fields = try JSONFields(json, path: "")
      _ = try fields.choice("mediaType", [SignatureBundle.mediaType])
      var material = try fields.fields("verificationMaterial")
      if json["verificationMaterial"]?["certificate"] != nil
        || json["verificationMaterial"]?["x509CertificateChain"] != nil
      {
        // What else such a bundle must hold is for those to say who check it.
        hasCertificate = true
        return
      }
      var key = try material.fields("publicKey")
      if json["verificationMaterial"]?["publicKey"]?["hint"] != nil {
        hint = try key.string("hint", bytesMax: 64)
        guard hint.isEmpty || Hex.bytes(hint)?.count == 32 else {
          throw .notAllowed(path: key.path(of: "hint"), value: hint, wanted: "lower-case hex of 32 bytes")
        }
      }
      try key.finish()
      if json["verificationMaterial"]?["tlogEntries"] != nil {
        _ = try material.array("tlogEntries", countMax: 0)
      }
      try material.finish()

      var envelope = try fields.fields("dsseEnvelope")
      payload = try envelope.base64("payload", bytesMax: SignatureLimits.bundleBytesMax)
      _ = try envelope.choice("payloadType", [Envelope.payloadType])
      let signatures = try envelope.array("signatures", countMax: 1)
      let path = envelope.path(of: "signatures")
      guard let first = signatures.first else { throw .outOfRange(path: path + ".count", value: 0, range: 1...1) }
      var entry = try JSONFields(first, path: path + "[0]")
      signature = try entry.base64("sig", bytesMax: SignatureLimits.signatureBytesMax)
      if first["keyid"] != nil { _ = try entry.string("keyid", bytesMax: 1024) }
      try entry.finish()
      try envelope.finish()
      try fields.finish()
    }
  }
}

extension JSONFields {
  fileprivate mutating func base64(_ key: String, bytesMax: Int) throws(FieldError) -> [UInt8] {
    let text = try string(key, bytesMax: (bytesMax + 2) / 3 * 4)
    guard let bytes = Base64.bytes(text) else {
      throw .notAllowed(
        path: path(of: key), value: String(text.prefix(40)), wanted: "padded base64 in its one spelling")
    }
    return bytes
  }
}
