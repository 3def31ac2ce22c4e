import enum Crypto.Curve25519

/// An Ed25519 public key (RFC 8032): of a node, a log or a witness.
package struct Ed25519PublicKey: Hashable, Sendable {
  /// 32 bytes.
  package let bytes: [UInt8]

  /// - Returns: nil unless these are 32 bytes that a secret key can stand behind.
  /// - Soundness: keys of small order are refused. For those, signatures exist that fit every
  ///   message, so that nobody would be bound by having signed anything.
  package init?(bytes: [UInt8]) {
    guard bytes.count == 32 else { return nil }
    var magnitude = bytes
    magnitude[31] &= 0x7F
    guard !Ed25519PublicKey.smallOrder.contains(Hex.string(magnitude)) else { return nil }
    self.bytes = bytes
  }

  /// Whether `signature` (64 bytes) is this key's signature of `message`.
  package func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
    guard signature.count == 64, let key = try? Curve25519.Signing.PublicKey(rawRepresentation: bytes) else {
      return false
    }
    return key.isValidSignature(signature, for: message)
  }

  // The y coordinates of the eight points of order 1, 2, 4 and 8, and the spellings of 0 and 1 that are not
  // reduced modulo 2^255 - 19.
  private static let smallOrder: Set<String> = [
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0100000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
  ]
}
