import ModelFiles

/// Why a signing key cannot be used, and what to do.
public enum SigningKeyFailure: Error, CustomStringConvertible {
  case unreadable(path: String, reason: String)
  case missing(path: String)
  case rejected(path: String, SigningKeyRejection)
  case exposed(path: String, mode: String)

  public var description: String {
    switch self {
    case .unreadable(let path, let reason): "the signing key \(path) cannot be used: \(reason)"
    case .missing(let path):
      "there is no signing key \(path); make one with: openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out \(path)"
    case .rejected(let path, let rejection): "\(path) is not a signing key: \(rejection)"
    case .exposed(let path, let mode):
      "the signing key \(path) can be read by others (mode \(mode)); run: chmod 600 \(path)"
    }
  }
}

/// The key that signs models, in a PEM file of mode 0600.
///
/// Trust: whoever can read the file can sign models in its owner's name, and nothing else.
public struct SigningKeyFile: Sendable {
  public let key: SigningPrivateKey
  public let path: String

  /// The key in a file that somebody made.
  ///
  /// - Throws: ``SigningKeyFailure``.
  public static func load(path: String) throws(SigningKeyFailure) -> SigningKeyFile {
    guard let file = try read(path, followingLinks: true) else { throw .missing(path: path) }
    return file
  }

  /// The key in `path`, made first when the file does not exist.
  ///
  /// - Throws: ``SigningKeyFailure``.
  public static func loadOrCreate(path: String) throws(SigningKeyFailure) -> SigningKeyFile {
    if let file = try read(path, followingLinks: false) { return file }
    do throws(SecretFile.Failure) {
      try SecretFile.create(path, Array(SigningPrivateKey().pem.utf8))
    } catch {
      throw failure(path, error)
    }
    guard let made = try read(path, followingLinks: false) else { throw .missing(path: path) }
    return made
  }

  /// The key in `path`, unless there is no such file.
  ///
  /// - Throws: ``SigningKeyFailure``.
  public static func loadIfPresent(path: String) throws(SigningKeyFailure) -> SigningKeyFile? {
    try read(path, followingLinks: false)
  }

  private static func read(_ path: String, followingLinks: Bool) throws(SigningKeyFailure) -> SigningKeyFile? {
    let bytes: [UInt8]?
    do throws(SecretFile.Failure) {
      bytes = try SecretFile.read(
        path, bytesMax: SignatureLimits.keyFileBytesMax, followingLinks: followingLinks)
    } catch {
      throw failure(path, error)
    }
    guard let bytes else { return nil }
    do throws(SigningKeyRejection) {
      return SigningKeyFile(key: try SigningPrivateKey(pem: bytes), path: path)
    } catch {
      throw .rejected(path: path, error)
    }
  }

  private static func failure(_ path: String, _ error: SecretFile.Failure) -> SigningKeyFailure {
    switch error {
    case .system(let operation, let reason): .unreadable(path: path, reason: "\(operation): \(reason)")
    case .exposed(let mode): .exposed(path: path, mode: mode)
    case .tooLong: .rejected(path: path, .tooLong)
    }
  }
}
