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
  @Option(
    help: ArgumentHelp(
      "A public key in PEM that you trust to sign models; may be repeated. Those in trusted-signers, beside the configuration file, are trusted too.",
      valueName: "key.pem"),
    completion: .file())
  var signer: [String] = []
  @Flag(help: "Import nothing that is not signed by a key you trust.") var requireSignature = false
  @Flag(help: "Where a signature is checked: symbolic links to files stand for the files.") var allowSymlinks = false

  /// Checks the signature of what lies at `source`, if there is one, against every file it covers.
  ///
  /// - Throws: ``CommandFailure`` when the signature refuses the files, or is not what was asked for.
  func check(_ source: String, _ settings: Settings) throws -> ImportedSignature {
    // Without a source there is something else to complain about first.
    guard let kind = try FileSystem.kind(of: source) else { return ImportedSignature() }
    guard let path = try signaturePath(for: source, kind) else {
      guard !requireSignature else {
        throw CommandFailure(
          "\(source) is not signed, and a signature is required",
          hint: "ask its publisher for one, or give it with --signature FILE")
      }
      return ImportedSignature()
    }
    let bytes = try FileSystem.contents(of: path, bytesMax: SignatureLimits.bundleBytesMax)
    do {
      let companion = kind == .directory ? companionKey(in: source) : nil
      let check = try SignatureCheck(bytes, trusted: trustedSigners(settings), companion: companion)
      let outcome = ImportedSignature(outcome: .signed(try files(source, kind, path, check)))
      try enforce(check.standing, path)
      return outcome
    } catch SignatureRejection.unsupported(let kind) {
      guard !requireSignature else {
        throw CommandFailure(
          "the signature \(path) cannot be checked here, and one is required: \(kind)", hint: kind.remedy)
      }
      return ImportedSignature(outcome: .uncheckable(kind))
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

  private func enforce(_ standing: SignerStanding, _ path: String) throws {
    guard requireSignature, case .unknown(let fingerprint, _) = standing else { return }
    throw CommandFailure(
      "the signature \(path) is by \(fingerprint.map { "the key \($0), which" } ?? "a key that") you do not trust",
      hint: "trust it with --signer KEY.pem once you know whose it is")
  }

  private func signaturePath(for source: String, _ kind: FileSystem.Kind) throws -> String? {
    if let signature { return signature }
    let name = ModelSigner.signatureName
    let candidates =
      kind == .directory ? ["\(source)/\(name)"] : ["\(source).sig", "\(FileSystem.directory(of: source))/\(name)"]
    return try candidates.first { try FileSystem.kind(of: $0) != nil }
  }

  /// The keys that were given, then those in the folder. One that cannot be read is an error: it may be
  /// the one that matters.
  private func trustedSigners(_ settings: Settings) throws -> [TrustedSigner] {
    let folder = settings.trustedSignersFolder
    let kept = try FileSystem.names(in: folder).filter { $0.hasSuffix(".pem") }.map { "\(folder)/\($0)" }
    return try (signer + kept).map { path in
      do {
        let bytes = try FileSystem.contents(of: path, bytesMax: SignatureLimits.keyFileBytesMax)
        return TrustedSigner(name: FileSystem.name(of: path), key: try SigningPublicKey(pem: bytes))
      } catch let rejection as SigningKeyRejection {
        throw CommandFailure("\(path) is not a public key to trust: \(rejection)")
      }
    }
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
