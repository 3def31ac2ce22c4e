import enum Crypto.Curve25519

/// A node's secret key. Its bytes come from outside: nothing here draws random numbers.
public struct NodeSigningKey: Sendable {
  private let key: Curve25519.Signing.PrivateKey
  public let publicKey: NodePublicKey

  /// - Parameter seed: 32 secret bytes (RFC 8032, section 5.1.5).
  /// - Returns: nil unless there are exactly 32.
  public init?(seed: [UInt8]) {
    guard seed.count == 32, let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed),
      let publicKey = NodePublicKey(bytes: Array(key.publicKey.rawRepresentation))
    else { return nil }
    self.key = key
    self.publicKey = publicKey
  }

  /// - Returns: 64 bytes.
  public func sign(_ message: [UInt8]) -> [UInt8] {
    guard let signature = try? key.signature(for: message) else { preconditionFailure("Ed25519 signs every message") }
    return Array(signature)
  }
}
