import Digests
import ModelFiles
import ModelGraph
import ModelSigning

/// What is known about a model's signature when it is imported.
struct ImportedSignature: Sendable {
  enum Outcome: Sendable {
    case none
    case signed(SignatureCheck.Result)
    case uncheckable(UnsupportedSignature)
  }

  var outcome = Outcome.none

  /// Nothing that the import reads may be without signature, or have changed since it was checked.
  func covers(_ sources: [ModelManifest.SourceFile]) throws {
    guard case .signed(let result) = outcome else { return }
    for source in sources {
      guard let file = result.file(source.name) else {
        throw CommandFailure(
          "the import needs \(source.name), which the signature does not cover",
          hint: "its signer left the file out on purpose; remove it, or ask for a signature over all files")
      }
      guard file.digest.hex == source.digest.hex else {
        throw CommandFailure("\(source.name) changed while it was imported", hint: "import it again")
      }
    }
  }

  /// The same for a pack, which is read as a whole.
  func covers(pack name: String) throws {
    guard case .signed(let result) = outcome, result.file(name) == nil else { return }
    throw CommandFailure("the signature does not cover \(name)", hint: "ask its publisher for one that does")
  }

  /// Keeps the name of a trusted signer with the model.
  func record(in store: ModelStore, _ model: Digest<ModelManifest>) throws {
    guard case .signed(let result) = outcome, case .trusted(let signer) = result.standing else { return }
    try store.record(ModelSignatureRecord(signer: signer.name, fingerprint: signer.key.fingerprint), of: model)
  }

  /// Says on stderr what was found.
  func note() {
    switch outcome {
    case .none: break
    case .uncheckable(let kind):
      Terminal.note("signature: not checked, \(kind); \(kind.remedy)")
    case .signed(let result):
      switch result.standing {
      case .trusted(let signer):
        Terminal.note(
          Terminal.green("✔ signature: valid, by the trusted key \(signer.name)")
            + Terminal.dim("  \(signer.key.fingerprint)"))
      case .unknown(let fingerprint, true):
        Terminal.note(
          "signature: in order, but by an unknown key, \(fingerprint ?? "unnamed"): the files belong together, and "
            + "nobody you know vouches for them; trust it with --signer KEY.pem")
      case .unknown(let fingerprint, false):
        Terminal.note(
          "signature: by an unknown key that is not here, \(fingerprint ?? "unnamed"): the files are those it lists, "
            + "and nobody you know vouches for them; give the key with --signer KEY.pem")
      }
    }
  }

  var json: JSON {
    switch outcome {
    case .none: ["state": "none"]
    case .uncheckable(let kind): ["state": "uncheckable", "reason": .string(kind.description)]
    case .signed(let result):
      switch result.standing {
      case .trusted(let signer):
        ["state": "trusted", "signer": .string(signer.name), "fingerprint": .string(signer.key.fingerprint)]
      case .unknown(let fingerprint, let checked):
        [
          "state": "unknown", "fingerprint": fingerprint.map { .string($0) } ?? .null, "checked": .bool(checked),
        ]
      }
    }
  }
}
