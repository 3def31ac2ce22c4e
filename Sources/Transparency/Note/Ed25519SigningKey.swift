import enum Crypto.Curve25519
import Digests

/// An Ed25519 secret key. Its bytes come from outside: nothing here draws random numbers.
struct Ed25519SigningKey: Sendable {
  private let key: Curve25519.Signing.PrivateKey
  let publicKey: Ed25519PublicKey

  /// - Returns: nil unless there are exactly 32 bytes.
  init?(seed: [UInt8]) {
    guard seed.count == 32, let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed),
      let publicKey = Ed25519PublicKey(bytes: Array(key.publicKey.rawRepresentation))
    else { return nil }
    self.key = key
    self.publicKey = publicKey
  }

  /// - Returns: 64 bytes.
  func sign(_ message: [UInt8]) -> [UInt8] {
    guard let signature = try? key.signature(for: message) else { preconditionFailure("Ed25519 signs every message") }
    return Array(signature)
  }
}
