import Digests

/// That a witness saw a checkpoint, consistent with all it had seen of the log before, and when.
///
/// Source: C2SP tlog-cosignature, "Ed25519 signed message".
public struct Cosignature: Hashable, Sendable {
  static let byteCount = 72

  /// Seconds since 1970, at most 2^63 - 1.
  public let timestamp: UInt64
  /// 64 bytes.
  public let signature: [UInt8]

  /// - Returns: nil unless these are a big-endian timestamp and 64 bytes.
  public init?(bytes: [UInt8]) {
    guard bytes.count == Cosignature.byteCount else { return nil }
    let timestamp = bytes.prefix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    guard timestamp <= CanonicalDecimal.valueMax else { return nil }
    self.timestamp = timestamp
    signature = Array(bytes.dropFirst(8))
  }

  init(timestamp: UInt64, signature: [UInt8]) {
    self.timestamp = timestamp
    self.signature = signature
  }

  /// 72 bytes: what follows the key ID in a signature line.
  public var bytes: [UInt8] { timestamp.bigEndianBytes + signature }

  /// What is signed: two lines, then the whole text of the checkpoint.
  public static func message(checkpointText: [UInt8], timestamp: UInt64) -> [UInt8] {
    Array("cosignature/v1\ntime \(timestamp)\n".utf8) + checkpointText
  }

  /// Whether `key` made it of that text.
  public func isMade(by key: NoteVerifierKey, of checkpointText: [UInt8]) -> Bool {
    key.kind == .cosignature
      && key.key.verifies(
        signature, of: Cosignature.message(checkpointText: checkpointText, timestamp: timestamp))
  }
}

/// A witness's secret key (type 0x04).
public struct CosignatureSigner: Sendable {
  private let key: Ed25519SigningKey
  public let verifierKey: NoteVerifierKey

  /// - Parameter seed: 32 secret bytes (RFC 8032, section 5.1.5) that sign nothing else.
  public init(name: ByteText, seed: [UInt8]) throws(NoteKeyRejection) {
    (key, verifierKey) = try SecretKeyText.key(name: name, kind: .cosignature, seed: seed)
  }

  /// Reads `PRIVATE+KEY+name+hex(key ID)+base64(0x04 ‖ seed)`.
  public init(parsing text: some Collection<UInt8>) throws(NoteKeyRejection) {
    (key, verifierKey) = try SecretKeyText.key(parsing: text, kind: .cosignature)
  }

  public init(_ skey: String) throws(NoteKeyRejection) { try self.init(parsing: Array(skey.utf8)) }

  /// The secret key as text.
  public static func secretKeyText(name: ByteText, seed: [UInt8]) throws(NoteKeyRejection) -> String {
    try SecretKeyText.text(name: name, kind: .cosignature, seed: seed)
  }

  /// Cosigns a checkpoint. The caller has verified its log's signature and its consistency.
  ///
  /// - Parameter timestamp: seconds since 1970, at most 2^63 - 1.
  public func cosign(_ checkpoint: Checkpoint, timestamp: UInt64) -> NoteSignature {
    precondition(timestamp <= CanonicalDecimal.valueMax)
    let message = Cosignature.message(checkpointText: checkpoint.text, timestamp: timestamp)
    let cosignature = Cosignature(timestamp: timestamp, signature: key.sign(message))
    return NoteSignature(name: verifierKey.name, keyID: verifierKey.keyID, signature: cosignature.bytes)
  }
}
