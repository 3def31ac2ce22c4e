import Digests
import ModelFiles

/// A key that somebody trusts to sign models, under the name they know it by.
public struct TrustedSigner: Sendable, Equatable {
  public let name: String
  public let key: SigningPublicKey

  public init(name: String, key: SigningPublicKey) {
    self.name = name
    self.key = key
  }
}

/// Who signed, as far as can be told.
public enum SignerStanding: Sendable, Equatable {
  /// A trusted key made the signature.
  case trusted(TrustedSigner)
  /// The key is not among those trusted.
  ///
  /// - fingerprint: nil when the signature does not name its key.
  /// - checked: whether the signature is that key's; without the key nobody can tell.
  case unknown(fingerprint: String?, checked: Bool)
}

/// Checks what a signature says against the files that are there.
///
/// Source: docs/spec/signing.md, section 4.
public struct SignatureCheck: Sendable {
  /// What was signed.
  public struct Result: Sendable, Equatable {
    public let standing: SignerStanding
    public let modelName: String
    /// Files of a folder that was checked are there unchanged. Beside a single file that was checked, or those
    /// that were chosen, the others of their folder have not been looked at.
    public let files: [SignedFile]

    /// A file with its signed digest; nil when the signature does not cover it.
    public func file(_ name: String) -> SignedFile? { files.first { $0.name.utf8.elementsEqual(name.utf8) } }
  }

  public let bundle: SignatureBundle
  public let statement: ModelStatement
  public let standing: SignerStanding

  /// Checks the form of a signature and who made it; no file is looked at.
  ///
  /// - Parameters:
  ///   - trusted: the keys to trust.
  ///   - companion: a key that came along with the model. It only helps to tell whether the signature is
  ///     in order; nobody has said whose it is.
  /// - Throws: ``SignatureRejection``.
  public init(
    _ bytes: [UInt8], trusted: [TrustedSigner], companion: SigningPublicKey? = nil
  ) throws(SignatureRejection) {
    bundle = try SignatureBundle(bytes)
    standing = try SignatureCheck.standing(of: bundle, trusted, companion)
    statement = try ModelStatement(bundle.payload)
  }

  private static func standing(
    of bundle: SignatureBundle, _ trusted: [TrustedSigner], _ companion: SigningPublicKey?
  ) throws(SignatureRejection) -> SignerStanding {
    guard let fingerprint = bundle.keyFingerprint else {
      // Signers before the naming of keys.
      if let signer = trusted.first(where: { bundle.isSigned(by: $0.key) }) { return .trusted(signer) }
      if let companion, bundle.isSigned(by: companion) {
        return .unknown(fingerprint: companion.fingerprint, checked: true)
      }
      return .unknown(fingerprint: nil, checked: false)
    }
    if let signer = trusted.first(where: { $0.key.fingerprint == fingerprint }) {
      guard bundle.isSigned(by: signer.key) else { throw .invalid(fingerprint: fingerprint) }
      return .trusted(signer)
    }
    guard let companion, companion.fingerprint == fingerprint else {
      return .unknown(fingerprint: fingerprint, checked: false)
    }
    guard bundle.isSigned(by: companion) else { throw .invalid(fingerprint: fingerprint) }
    return .unknown(fingerprint: fingerprint, checked: true)
  }

  /// Checks that a folder holds the signed files and no others.
  ///
  /// - Parameters:
  ///   - signatureName: where in the folder the signature lies, if it does.
  ///   - allowsSymlinks: whether links to files are followed although the signer did not.
  ///   - progress: called with the bytes hashed so far and the bytes of all files.
  /// - Throws: ``SignatureRejection/filesDiffer(_:)``, ``FolderRejection``, `FileFailure`, and whatever
  ///   `progress` throws.
  public func check(
    folder: String, signatureName: String?, allowsSymlinks: Bool = false,
    progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
  ) throws -> Result {
    let listing = try FolderListing(
      folder, ignoring: statement.ignoredPaths + (signatureName.map { [$0] } ?? []),
      allowsSymlinks: allowsSymlinks || statement.allowsSymlinks)
    return try compare(listing, with: statement.files, progress)
  }

  /// Checks one file: signed on its own, or as one of a folder's.
  ///
  /// - Parameter name: its path below the folder that was signed.
  /// - Throws: as ``check(folder:signatureName:allowsSymlinks:progress:)``.
  public func check(
    file: String, name: String, progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
  ) throws -> Result {
    let listing = try FolderListing(file: file)
    guard let signed = statement.files.first(where: { $0.name == "." || $0.name.utf8.elementsEqual(name.utf8) }) else {
      throw SignatureRejection.filesDiffer(FileDifferences(notSigned: [name]))
    }
    do {
      _ = try compare(listing, with: [SignedFile(name: ".", digest: signed.digest)], progress)
    } catch SignatureRejection.filesDiffer {
      throw SignatureRejection.filesDiffer(FileDifferences(changed: [name]))
    }
    return Result(
      standing: standing, modelName: statement.modelName,
      files: signed.name == "." ? [SignedFile(name: name, digest: signed.digest)] : statement.files)
  }

  /// Checks files that were chosen from a folder; what else lies there is not looked at.
  ///
  /// - Parameters:
  ///   - chosen: by name, with SHA-256 in hex as far as it is known.
  ///   - lacks: whether a signed file is missed although it was not chosen.
  /// - Throws: ``SignatureRejection/filesDiffer(_:)``.
  public func check(
    chosen: [(name: String, sha256: String?)], lacks: (String) -> Bool
  ) throws(SignatureRejection) -> Result {
    var expected: [[UInt8]: SignedFile] = [:]
    for file in statement.files { expected[Array(file.name.utf8)] = file }
    // A single file that was signed as such has no name.
    let single = chosen.count == 1 ? expected[Array(".".utf8)] : nil
    var differences = FileDifferences()
    for (name, sha256) in chosen {
      if let signed = expected[Array(name.utf8)] ?? single {
        if let sha256, signed.digest.hex != sha256 { differences.changed.append(name) }
      } else {
        differences.notSigned.append(name)
      }
    }
    let present = Set(chosen.map { Array($0.name.utf8) })
    differences.missing = statement.files.map(\.name).filter { !present.contains(Array($0.utf8)) && lacks($0) }
    guard differences.isEmpty else { throw .filesDiffer(differences) }
    return Result(standing: standing, modelName: statement.modelName, files: statement.files)
  }

  private func compare(
    _ listing: FolderListing, with signed: [SignedFile], _ progress: (_ done: Int, _ total: Int) throws -> Void
  ) throws -> Result {
    var expected: [[UInt8]: SignedFile] = [:]
    for file in signed { expected[Array(file.name.utf8)] = file }
    var differences = FileDifferences()
    var present: [FolderListing.Entry] = []
    for entry in listing.entries {
      if expected[Array(entry.name.utf8)] == nil {
        differences.notSigned.append(entry.name)
      } else {
        present.append(entry)
      }
    }
    let total = present.reduce(0) { $0 + $1.bytes }
    var done = 0
    let found = try listing.digests(of: present) { bytes in
      done += bytes
      try progress(done, total)
    }
    for file in found {
      let signed = expected.removeValue(forKey: Array(file.name.utf8))
      if signed?.digest != file.digest { differences.changed.append(file.name) }
    }
    differences.missing = expected.values.map(\.name).sorted(by: FileName.precedes)
    guard differences.isEmpty else { throw SignatureRejection.filesDiffer(differences) }
    return Result(standing: standing, modelName: statement.modelName, files: signed)
  }
}
