import enum Crypto.P256
import enum Crypto.P384
import enum Crypto.P521

/// A key that signs models. Curves as for ``SigningPublicKey``.
public struct SigningPrivateKey: Sendable {
  private enum Curve {
    case p256(P256.Signing.PrivateKey)
    case p384(P384.Signing.PrivateKey)
    case p521(P521.Signing.PrivateKey)
  }

  private let curve: Curve
  public let publicKey: SigningPublicKey

  /// A new key on P-256.
  public init() {
    let key = P256.Signing.PrivateKey()
    curve = .p256(key)
    publicKey = SigningPublicKey(.p256(key.publicKey))
  }

  /// - Parameter pem: a file that holds a `PRIVATE KEY` (PKCS #8) or `EC PRIVATE KEY` (SEC 1) block.
  /// - Throws: ``SigningKeyRejection``.
  public init(pem: [UInt8]) throws(SigningKeyRejection) {
    guard pem.count <= SignatureLimits.keyFileBytesMax else { throw .tooLong }
    let labels = ["PRIVATE KEY", "EC PRIVATE KEY", "ENCRYPTED PRIVATE KEY"]
    guard let (label, der) = PEM.block(labels, in: pem) else { throw .noBlock("PRIVATE KEY") }
    guard label != "ENCRYPTED PRIVATE KEY" else { throw .encrypted }
    // The library takes any scalar of the right size; the curve that the file names must be the one.
    func names(_ curve: [UInt8]) -> Bool { der.firstRange(of: curve) != nil }
    if names(Self.p256Identifier), let key = try? P256.Signing.PrivateKey(derRepresentation: der) {
      curve = .p256(key)
      publicKey = SigningPublicKey(.p256(key.publicKey))
    } else if names(Self.p384Identifier), let key = try? P384.Signing.PrivateKey(derRepresentation: der) {
      curve = .p384(key)
      publicKey = SigningPublicKey(.p384(key.publicKey))
    } else if names(Self.p521Identifier), let key = try? P521.Signing.PrivateKey(derRepresentation: der) {
      curve = .p521(key)
      publicKey = SigningPublicKey(.p521(key.publicKey))
    } else {
      throw .notOnACurve
    }
  }

  // Object identifiers in DER (RFC 5480, section 2.1.1.1).
  private static let p256Identifier: [UInt8] = [0x06, 0x08, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07]
  private static let p384Identifier: [UInt8] = [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x22]
  private static let p521Identifier: [UInt8] = [0x06, 0x05, 0x2B, 0x81, 0x04, 0x00, 0x23]

  /// PKCS #8 in PEM.
  var pem: String {
    switch curve {
    case .p256(let key): PEM.text("PRIVATE KEY", Array(key.derRepresentation))
    case .p384(let key): PEM.text("PRIVATE KEY", Array(key.derRepresentation))
    case .p521(let key): PEM.text("PRIVATE KEY", Array(key.derRepresentation))
    }
  }

  /// - Returns: DER.
  func sign(_ message: [UInt8]) -> [UInt8] {
    let signature =
      switch curve {
      case .p256(let key): (try? key.signature(for: message)).map { Array($0.derRepresentation) }
      case .p384(let key): (try? key.signature(for: message)).map { Array($0.derRepresentation) }
      case .p521(let key): (try? key.signature(for: message)).map { Array($0.derRepresentation) }
      }
    guard let signature else { preconditionFailure("a valid key signs every message") }
    return signature
  }
}
