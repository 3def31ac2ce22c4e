import Digests

/// The public key of someone who signs notes, with its name: a *vkey*.
///
/// Source: C2SP signed-note, "Verifier keys"; tlog-cosignature, "Format".
public struct NoteVerifierKey: Hashable, Sendable, CustomStringConvertible {
  /// What a signature is made over. The other types that C2SP assigns are refused by name.
  public enum Kind: UInt8, Sendable, Hashable {
    /// The text of the note.
    case ed25519 = 0x01
    /// A checkpoint, and when it was seen.
    case cosignature = 0x04
  }

  public static let nameBytesMax = 255
  static let textBytesMax = nameBytesMax + 1 + 8 + 1 + 2048

  public let name: ByteText
  public let kind: Kind
  /// First 4 bytes of SHA-256(name ‖ 0x0A ‖ type ‖ public key), big-endian.
  public let keyID: UInt32
  let key: Ed25519PublicKey

  /// 32 bytes.
  public var publicKey: [UInt8] { key.bytes }

  /// - Throws: unless the name is one and `publicKey` is an Ed25519 key.
  public init(name: ByteText, kind: Kind, publicKey: [UInt8]) throws(NoteKeyRejection) {
    guard NoteVerifierKey.isName(name.bytes) else { throw .name }
    guard let key = Ed25519PublicKey(bytes: publicKey) else { throw .publicKey(byteCount: publicKey.count) }
    self.init(name: name, kind: kind, key: key)
  }

  init(name: ByteText, kind: Kind, key: Ed25519PublicKey) {
    self.name = name
    self.kind = kind
    self.key = key
    let digest = Digest<NoteVerifierKey>(of: name.bytes + [0x0A, kind.rawValue] + key.bytes)
    keyID = digest.bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// Reads `name+hex(key ID)+base64(type ‖ public key)`.
  public init(parsing text: some Collection<UInt8>) throws(NoteKeyRejection) {
    let fields = try NoteKeyText(parsing: text)
    guard let kind = Kind(rawValue: fields.type) else { throw .unsupportedType(fields.type) }
    try self.init(name: fields.name, kind: kind, publicKey: fields.material)
    guard keyID == fields.keyID else { throw .keyID(found: fields.keyID, wanted: keyID) }
  }

  public init(_ vkey: String) throws(NoteKeyRejection) { try self.init(parsing: Array(vkey.utf8)) }

  /// The vkey.
  public var description: String {
    "\(name.string)+\(Hex.string(keyID.bigEndianBytes))+\(Base64.string([kind.rawValue] + publicKey))"
  }

  /// UTF-8 without spaces, control characters and plus signs, 1 to 255 bytes.
  static func isName(_ bytes: [UInt8]) -> Bool {
    guard (1...nameBytesMax).contains(bytes.count), let text = String(validating: bytes, as: UTF8.self) else {
      return false
    }
    return !text.unicodeScalars.contains { $0.value < 0x20 || $0 == "+" || $0.properties.isWhitespace }
  }
}

/// Why text is not a key.
public enum NoteKeyRejection: Error, Equatable, Sendable, CustomStringConvertible {
  /// There are not three parts with plus signs between them, or they are too long.
  case form
  case name
  case keyIDForm(String)
  case base64
  case unsupportedType(UInt8)
  case publicKey(byteCount: Int)
  case secretKey(byteCount: Int)
  case keyID(found: UInt32, wanted: UInt32)
  /// A key of the other kind of signature than the one that is to be made.
  case wrongKind(NoteVerifierKey.Kind, wanted: NoteVerifierKey.Kind)

  public var description: String {
    switch self {
    case .form: "a key is written name+key ID+key"
    case .name:
      "a key's name is 1 to \(NoteVerifierKey.nameBytesMax) bytes of UTF-8 without spaces, control characters and +"
    case .keyIDForm(let text): "the key ID \"\(text)\" is not 8 lower-case hex digits"
    case .base64: "the key is not padded base64"
    case .unsupportedType(let type):
      "keys of type 0x\(Hex.string([type])) are not supported; 0x01 (Ed25519) and 0x04 (cosignature) are"
    case .publicKey(let count):
      count == 32
        ? "the public key is of small order: anyone can sign for it"
        : "the public key is \(count) bytes long instead of 32"
    case .secretKey(let count): "the secret key is \(count) bytes long instead of 32"
    case .keyID(let found, let wanted):
      "the key ID \(Hex.string(found.bigEndianBytes)) does not belong to name and key; "
        + "\(Hex.string(wanted.bigEndianBytes)) does"
    case .wrongKind(let found, let wanted):
      "a key of type 0x\(Hex.string([found.rawValue])) where one of type 0x\(Hex.string([wanted.rawValue])) is needed"
    }
  }
}
