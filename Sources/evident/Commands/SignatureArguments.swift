import ArgumentParser
import Foundation
import ModelFiles
import ModelSigning

/// Whose signature a model must have, and where it is.
struct SignatureArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "The model's signature (default: model.sig in the folder, or FILE.sig or model.sig beside a file).",
      valueName: "file"),
    completion: .file())
  var signature: String?
  @OptionGroup var signers: SignerArguments
  @Flag(help: "Where a signature is checked: symbolic links to files stand for the files.") var allowSymlinks = false

  /// Checks the signature of what lies at `source`, if there is one, against every file it covers.
  ///
  /// - Throws: ``CommandFailure`` when the signature refuses the files, or is not what was asked for.
  func check(_ source: String, _ settings: Settings) throws -> ImportedSignature {
    // Without a source there is something else to complain about first.
    guard let kind = try FileSystem.kind(of: source) else { return ImportedSignature() }
    guard let path = try signaturePath(for: source, kind) else {
      return try signers.unsigned(source)
    }
    let bytes = try FileSystem.contents(of: path, bytesMax: SignatureLimits.bundleBytesMax)
    do {
      let companion = kind == .directory ? companionKey(in: source) : nil
      let check = try SignatureCheck(bytes, trusted: signers.trusted(settings), companion: companion)
      let outcome = ImportedSignature(outcome: .signed(try files(source, kind, path, check)))
      try signers.enforce(check.standing, path)
      return outcome
    } catch SignatureRejection.unsupported(let kind) {
      return try signers.uncheckable(kind, path)
    } catch let rejection as SignatureRejection {
      throw CommandFailure(
        "the signature \(path) refuses this model: \(rejection)",
        hint: "get the files again from their publisher; only without the signature can they be imported as they are")
    } catch let rejection as FolderRejection {
      throw CommandFailure("\(source) cannot be checked against its signature: \(rejection)")
    }
  }

  private func files(
    _ source: String, _ kind: FileSystem.Kind, _ path: String, _ check: SignatureCheck
  ) throws -> SignatureCheck.Result {
    let bar = ProgressBar("checking the signature")
    defer { bar.finish() }
    if kind == .directory {
      return try check.check(
        folder: source, signatureName: SignatureArguments.relative(path, to: source), allowsSymlinks: allowSymlinks
      ) {
        bar.update(done: $0, total: $1)
        try Task.checkCancellation()
      }
    }
    return try check.check(file: source, name: FileSystem.name(of: source)) {
      bar.update(done: $0, total: $1)
      try Task.checkCancellation()
    }
  }

  private func signaturePath(for source: String, _ kind: FileSystem.Kind) throws -> String? {
    if let signature { return signature }
    let name = ModelSigner.signatureName
    let candidates =
      kind == .directory ? ["\(source)/\(name)"] : ["\(source).sig", "\(FileSystem.directory(of: source))/\(name)"]
    return try candidates.first { try FileSystem.kind(of: $0) != nil }
  }

  /// The key that lies with the model. One that is no key is as good as none.
  private func companionKey(in folder: String) -> SigningPublicKey? {
    let path = "\(folder)/\(ModelSigner.publicKeyName)"
    return (try? FileSystem.contents(of: path, bytesMax: SignatureLimits.keyFileBytesMax))
      .flatMap { try? SigningPublicKey(pem: $0) }
  }

  /// The path of a file below a folder; nil when it lies elsewhere.
  private static func relative(_ path: String, to folder: String) -> String? {
    func real(_ path: String) -> String? {
      guard let resolved = realpath(path, nil) else { return nil }
      defer { free(resolved) }
      return String(validatingCString: resolved)
    }
    guard let base = real(folder), let parent = real(FileSystem.directory(of: path)) else { return nil }
    let whole = parent + "/" + FileSystem.name(of: path)
    return whole.hasPrefix(base + "/") ? String(whole.dropFirst(base.count + 1)) : nil
  }
}
