import Digests
import ModelGraph
import ModelSigning

/// The README of a published model: what it is, how to use it, how to check it.
struct ModelCard {
  static let fileName = "README.md"
  static let packName = "model.pack"

  let name: String
  let manifest: ModelManifest
  let digest: Digest<ModelManifest>
  let key: SigningPublicKey

  var text: String {
    let parameters = manifest.tensors.reduce(0) { $0 + $1.shape.reduce(1, *) }
    let sources = manifest.source.files.map { "| made from | \(code($0.name)) \(code($0.digest.description)) |" }
    return """
      # \(name.filter { $0.isASCII && ($0.isLetter || $0.isNumber || "._- ".contains($0)) })

      A model in exact integer arithmetic for Evident, whole in `\(ModelCard.packName)`. The same input gives the
      same answer on every machine.

      | | |
      | --- | --- |
      | digest | `\(digest)` |
      | architecture | \(code(manifest.architecture)) |
      | arithmetic | `\(ModelManifest.arithmetic)` |
      | parameters | \(parameters) |
      | weights | \(manifest.blobs.weights.bytes) bytes |
      | context | \(manifest.config.contextLength) tokens |
      \(sources.joined(separator: "\n"))

      The licence is that of the model it was made from.

      ## Use it

          evident import FOLDER

      ## Check it

      `\(ModelSigner.signatureName)` is an [OpenSSF model signature](https://pypi.org/project/model-signing/) over every
      file here, made with the key

          \(key.fingerprint)

      which `openssl pkey -pubin -in \(ModelSigner.publicKeyName) | sha256sum` shows. Compare it with what the publisher says
      elsewhere: a key that comes with the files shows only that they belong together. Then

          evident import FOLDER --signer \(ModelSigner.publicKeyName) --require-signature
          python -m model_signing verify key . --signature \(ModelSigner.signatureName) --public_key \(ModelSigner.publicKeyName)

      """
  }

  /// Text of others, which must stay inside its cell.
  private func code(_ text: String) -> String { "`\(text.filter { !"`|\n\r".contains($0) })`" }
}
