public import Digests

/// A node's Ed25519 public key (RFC 8032).
public struct NodePublicKey: Hashable, Sendable, CustomStringConvertible {
  private let key: Ed25519PublicKey

  /// - Returns: nil unless these are 32 bytes that a secret key can stand behind.
  /// - Soundness: keys of small order are refused; see `Ed25519PublicKey`.
  public init?(bytes: [UInt8]) {
    guard let key = Ed25519PublicKey(bytes: bytes) else { return nil }
    self.key = key
  }

  /// - Returns: nil unless `hex` is 64 lower-case hex digits of such a key.
  public init?(hex: String) {
    guard let bytes = Hex.bytes(hex) else { return nil }
    self.init(bytes: bytes)
  }

  /// 32 bytes.
  public var bytes: [UInt8] { key.bytes }
  public var hex: String { Hex.string(bytes) }
  /// The key's name in an envelope: SHA-256 of its 32 bytes.
  public var id: Digest<NodePublicKey> { Digest(of: bytes) }
  public var description: String { hex }

  /// Whether `signature` (64 bytes) is this key's signature of `message`.
  public func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
    key.verifies(signature, of: message)
  }
}
