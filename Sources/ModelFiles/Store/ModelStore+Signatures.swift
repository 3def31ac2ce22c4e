public import Digests
public import ModelGraph

/// Who signed the files that a model was imported from, as found when it was imported.
public struct ModelSignatureRecord: Sendable, Equatable {
  /// The name that the importing person knows the key by.
  public let signer: String
  /// SHA-256 of the key's PEM text, in hex.
  public let fingerprint: String

  public init(signer: String, fingerprint: String) {
    self.signer = signer
    self.fingerprint = fingerprint
  }
}

extension ModelStore {
  func signaturePath(of model: Digest<ModelManifest>) -> String { "\(signatures)/sha256-\(model.hex).json" }

  /// Remembers who signed a model. It is a note for people: nothing is decided by it.
  ///
  /// - Throws: ``FileFailure``.
  public func record(_ signature: ModelSignatureRecord, of model: Digest<ModelManifest>) throws {
    let json: JSON = [
      "schema": "evident.signature.v1", "signer": .string(signature.signer),
      "fingerprint": .string(signature.fingerprint),
    ]
    let file = try incoming(in: signatures)
    try file.write(Array((json.text() + "\n").utf8))
    try file.publish(as: FileSystem.name(of: signaturePath(of: model)))
  }

  /// Who signed a model, where that was recorded and can be read.
  public func signature(of model: Digest<ModelManifest>) -> ModelSignatureRecord? {
    guard let bytes = try? FileSystem.contents(of: signaturePath(of: model), bytesMax: 64 << 10),
      let json = try? JSON.parse(bytes), json["schema"]?.string == "evident.signature.v1",
      let signer = json["signer"]?.string, let fingerprint = json["fingerprint"]?.string
    else { return nil }
    return ModelSignatureRecord(signer: signer, fingerprint: fingerprint)
  }
}
