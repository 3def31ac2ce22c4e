import ArgumentParser
import ModelFiles
import ModelSigning

/// Whose signature a model must have.
struct SignerArguments: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      "A public key in PEM that you trust to sign models; may be repeated. Those in trusted-signers, beside the configuration file, are trusted too.",
      valueName: "key.pem"),
    completion: .file())
  var signer: [String] = []
  @Flag(name: .customLong("require-signature"), help: "Import nothing that is not signed by a key you trust.")
  var isRequired = false

  /// What there is to say where a model has no signature.
  func unsigned(_ source: String) throws -> ImportedSignature {
    guard !isRequired else {
      throw CommandFailure(
        "\(source) is not signed, and a signature is required",
        hint: "ask its publisher for one, or give it with --signature FILE")
    }
    return ImportedSignature()
  }

  /// The same for one of a kind that other tools check.
  func uncheckable(_ kind: UnsupportedSignature, _ path: String) throws -> ImportedSignature {
    guard !isRequired else {
      throw CommandFailure(
        "the signature \(path) cannot be checked here, and one is required: \(kind)", hint: kind.remedy)
    }
    return ImportedSignature(outcome: .uncheckable(kind))
  }

  func enforce(_ standing: SignerStanding, _ path: String) throws {
    guard isRequired, case .unknown(let fingerprint, _) = standing else { return }
    throw CommandFailure(
      "the signature \(path) is by \(fingerprint.map { "the key \($0), which" } ?? "a key that") you do not trust",
      hint: "trust it with --signer KEY.pem once you know whose it is")
  }

  /// The keys that were given, then those in the folder. One that cannot be read is an error: it may be
  /// the one that matters.
  func trusted(_ settings: Settings) throws -> [TrustedSigner] {
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
}
