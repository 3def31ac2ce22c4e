import ModelFiles

/// Signs what is in a folder.
///
/// Source: docs/spec/signing.md, sections 1 to 3.
public enum ModelSigner {
  /// Where a signature lies in the folder that it covers.
  public static let signatureName = "model.sig"
  /// Where a published folder has the public key of who signed it, for those who do not know it.
  public static let publicKeyName = "signer.pem"
  /// What is no part of a model: the signature itself, and what version control adds. The list of
  /// `model_signing`.
  public static let ignoredPaths = [signatureName, ".git", ".gitattributes", ".github", ".gitignore"]

  /// The signature file for everything in `folder`.
  ///
  /// - Parameters:
  ///   - name: the model's name in the statement, for people.
  ///   - progress: called with the bytes hashed so far and the bytes of all files.
  /// - Throws: ``FolderRejection``, ``SignatureRejection/tooLong(bytes:bytesMax:)``, `FileFailure`, and
  ///   whatever `progress` throws.
  public static func sign(
    folder: String, name: String, key: SigningPrivateKey, allowsSymlinks: Bool = false,
    progress: (_ done: Int, _ total: Int) throws -> Void = { _, _ in }
  ) throws -> [UInt8] {
    let listing = try FolderListing(folder, ignoring: ignoredPaths, allowsSymlinks: allowsSymlinks)
    guard !listing.entries.isEmpty else { throw FolderRejection.empty }
    let total = listing.bytes
    var done = 0
    let files = try listing.digests { bytes in
      done += bytes
      try progress(done, total)
    }
    let statement = ModelStatement(
      modelName: name, allowsSymlinks: allowsSymlinks, ignoredPaths: ignoredPaths, files: files)
    let bytes = SignatureBundle(signing: statement.bytes, with: key).bytes
    guard bytes.count <= SignatureLimits.bundleBytesMax else {
      throw SignatureRejection.tooLong(bytes: bytes.count, bytesMax: SignatureLimits.bundleBytesMax)
    }
    return bytes
  }

  /// Puts a file into a folder; it appears whole or not at all.
  ///
  /// - Throws: `FileFailure`.
  public static func write(_ bytes: [UInt8], _ name: String, in folder: String) throws {
    let file = try TemporaryFile(beside: folder + "/" + name)
    try file.write(bytes)
    try file.publish(as: name)
  }
}
