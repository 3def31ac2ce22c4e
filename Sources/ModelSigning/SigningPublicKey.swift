import Digests

import enum Crypto.P256
import enum Crypto.P384
import enum Crypto.P521

/// A key that model signatures are checked with: ECDSA on P-256 with SHA-256, P-384 with SHA-384 or P-521
/// with SHA-512 (FIPS 186-5).
public struct SigningPublicKey: Sendable, Equatable {
  enum Curve: Sendable {
    case p256(P256.Signing.PublicKey)
    case p384(P384.Signing.PublicKey)
    case p521(P521.Signing.PublicKey)
  }

  let curve: Curve
  /// SubjectPublicKeyInfo (RFC 5480), the point uncompressed.
  let der: [UInt8]

  init(_ curve: Curve) {
    self.curve = curve
    der =
      switch curve {
      case .p256(let key): Array(key.derRepresentation)
      case .p384(let key): Array(key.derRepresentation)
      case .p521(let key): Array(key.derRepresentation)
      }
  }

  /// - Parameter pem: a file that holds a `PUBLIC KEY` block.
  /// - Throws: ``SigningKeyRejection``.
  public init(pem: [UInt8]) throws(SigningKeyRejection) {
    guard pem.count <= SignatureLimits.keyFileBytesMax else { throw .tooLong }
    guard let der = PEM.block(["PUBLIC KEY"], in: pem)?.der else { throw .noBlock("PUBLIC KEY") }
    if let key = try? P256.Signing.PublicKey(derRepresentation: der) {
      self.init(.p256(key))
    } else if let key = try? P384.Signing.PublicKey(derRepresentation: der) {
      self.init(.p384(key))
    } else if let key = try? P521.Signing.PublicKey(derRepresentation: der) {
      self.init(.p521(key))
    } else {
      throw .notOnACurve
    }
  }

  public var pem: String { PEM.text("PUBLIC KEY", der) }

  /// SHA-256 of ``pem``, in hex: the name that signatures give the key.
  public var fingerprint: String { Digest<SigningPublicKey>(of: Array(pem.utf8)).hex }

  public var curveName: String {
    switch curve {
    case .p256: "P-256"
    case .p384: "P-384"
    case .p521: "P-521"
    }
  }

  /// - Parameter signature: DER (RFC 3279, section 2.2.3).
  func verifies(_ signature: [UInt8], of message: [UInt8]) -> Bool {
    switch curve {
    case .p256(let key):
      guard let signature = try? P256.Signing.ECDSASignature(derRepresentation: signature) else { return false }
      return key.isValidSignature(signature, for: message)
    case .p384(let key):
      guard let signature = try? P384.Signing.ECDSASignature(derRepresentation: signature) else { return false }
      return key.isValidSignature(signature, for: message)
    case .p521(let key):
      guard let signature = try? P521.Signing.ECDSASignature(derRepresentation: signature) else { return false }
      return key.isValidSignature(signature, for: message)
    }
  }

  public static func == (a: SigningPublicKey, b: SigningPublicKey) -> Bool { a.der == b.der }
}

/// Why a file is not a key that can be used here.
public enum SigningKeyRejection: Error, Equatable, Sendable, CustomStringConvertible {
  case tooLong
  case noBlock(String)
  case encrypted
  case notOnACurve

  public var description: String {
    switch self {
    case .tooLong: "it has more than \(SignatureLimits.keyFileBytesMax) bytes, too many for a key"
    case .noBlock(let label): "it holds no PEM block \(label) that can be read"
    case .encrypted: "it is encrypted; decrypt it with: openssl pkcs8 -in FILE -topk8 -nocrypt"
    case .notOnACurve: "it is not an elliptic-curve key on P-256, P-384 or P-521"
    }
  }
}
