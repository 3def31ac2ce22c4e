import Digests

/// A secret key that signs the text of notes (type 0x01): that of a log.
///
/// Source: C2SP signed-note, "Ed25519 signatures".
public struct NoteSigner: Sendable {
  private let key: Ed25519SigningKey
  public let verifierKey: NoteVerifierKey

  /// - Parameter seed: 32 secret bytes (RFC 8032, section 5.1.5).
  public init(name: ByteText, seed: [UInt8]) throws(NoteKeyRejection) {
    (key, verifierKey) = try SecretKeyText.key(name: name, kind: .ed25519, seed: seed)
  }

  /// Reads `PRIVATE+KEY+name+hex(key ID)+base64(0x01 ‖ seed)`.
  public init(parsing text: some Collection<UInt8>) throws(NoteKeyRejection) {
    (key, verifierKey) = try SecretKeyText.key(parsing: text, kind: .ed25519)
  }

  public init(_ skey: String) throws(NoteKeyRejection) { try self.init(parsing: Array(skey.utf8)) }

  /// The secret key as text.
  public static func secretKeyText(name: ByteText, seed: [UInt8]) throws(NoteKeyRejection) -> String {
    try SecretKeyText.text(name: name, kind: .ed25519, seed: seed)
  }

  /// Signs `text`, the text of a note.
  public func sign(_ text: [UInt8]) -> NoteSignature {
    precondition(Note.isText(text), "only the text of a note can be signed")
    return NoteSignature(name: verifierKey.name, keyID: verifierKey.keyID, signature: key.sign(text))
  }

  /// Signs a checkpoint as its log.
  public func sign(_ checkpoint: Checkpoint) -> NoteSignature { sign(checkpoint.text) }
}

/// Secret keys as text: `PRIVATE+KEY+` and the form of a vkey with the seed in place of the public key.
enum SecretKeyText {
  private static let prefix = Array("PRIVATE+KEY+".utf8)

  static func key(
    name: ByteText, kind: NoteVerifierKey.Kind, seed: [UInt8]
  ) throws(NoteKeyRejection) -> (Ed25519SigningKey, NoteVerifierKey) {
    guard NoteVerifierKey.isName(name.bytes) else { throw .name }
    guard let key = Ed25519SigningKey(seed: seed) else { throw .secretKey(byteCount: seed.count) }
    return (key, NoteVerifierKey(name: name, kind: kind, key: key.publicKey))
  }

  static func key(
    parsing text: some Collection<UInt8>, kind: NoteVerifierKey.Kind
  ) throws(NoteKeyRejection) -> (Ed25519SigningKey, NoteVerifierKey) {
    guard text.starts(with: prefix) else { throw .form }
    let fields = try NoteKeyText(parsing: text.dropFirst(prefix.count))
    guard let found = NoteVerifierKey.Kind(rawValue: fields.type) else { throw .unsupportedType(fields.type) }
    guard found == kind else { throw .wrongKind(found, wanted: kind) }
    let pair = try key(name: fields.name, kind: kind, seed: fields.material)
    guard pair.1.keyID == fields.keyID else { throw .keyID(found: fields.keyID, wanted: pair.1.keyID) }
    return pair
  }

  static func text(name: ByteText, kind: NoteVerifierKey.Kind, seed: [UInt8]) throws(NoteKeyRejection) -> String {
    let verifierKey = try key(name: name, kind: kind, seed: seed).1
    let keyID = Hex.string(verifierKey.keyID.bigEndianBytes)
    return "PRIVATE+KEY+\(name.string)+\(keyID)+\(Base64.string([kind.rawValue] + seed))"
  }
}
