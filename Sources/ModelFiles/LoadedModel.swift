public import Digests
public import ModelGraph

/// Why stored bytes are not the model they are kept as. Every case says which part.
public enum LoadRejection: Error, Equatable, Sendable, CustomStringConvertible {
  case manifest(ManifestRejection)
  case model(ModelRejection)
  case size(part: String, found: Int, stated: Int)
  case digest(part: String, found: String, stated: String)

  public var description: String {
    switch self {
    case .manifest(let rejection): rejection.description
    case .model(let rejection): "the model cannot run in exact arithmetic: \(rejection)"
    case .size(let part, let found, let stated):
      "the model's \(part) has \(found) bytes; its manifest states \(stated). Import the model again"
    case .digest(let part, let found, let stated):
      "the model's \(part) has digest \(found); it should be \(stated). The bytes were changed or damaged; "
        + "import the model again"
    }
  }
}

/// A model at hand: checked against its manifest, ready to run.
public struct LoadedModel: Sendable {
  /// The model's identity: SHA-256 of ``manifestBytes``.
  public let digest: Digest<ModelManifest>
  public let manifestBytes: [UInt8]
  public let image: ModelImage
  /// The bytes of tokenizer.json.
  public let tokenizer: [UInt8]
  /// UTF-8 of the chat template (Jinja); nil when the model has none.
  public let chatTemplate: [UInt8]?

  public var manifest: ModelManifest { image.manifest }

  /// The parts that a manifest's blobs name.
  struct Parts {
    var weights: ModelBytes
    var tokenizer: ModelBytes
    var chatTemplate: ModelBytes?
  }

  /// - Parameters:
  ///   - digest: what the manifest's bytes must hash to; nil when nothing is expected of them.
  ///   - checkingDigests: whether every blob is hashed. Without it only sizes and bounds are checked,
  ///     and the digest says what the model should be, not what it is.
  ///   - checkingWeights: whether the weights are among those blobs; who needs the text alone does not wait for them.
  init(
    manifestBytes: [UInt8], digest expected: Digest<ModelManifest>?, checkingDigests: Bool,
    checkingWeights: Bool = true, parts: (ModelManifest) throws -> Parts
  ) throws {
    let digest = Digest<ModelManifest>(of: manifestBytes)
    if let expected, expected != digest {
      throw LoadRejection.digest(part: "manifest", found: digest.description, stated: expected.description)
    }
    let manifest: ModelManifest
    do throws(ManifestRejection) { manifest = try ModelManifest(bytes: manifestBytes) } catch {
      throw LoadRejection.manifest(error)
    }
    let parts = try parts(manifest)
    try LoadedModel.check("weights", parts.weights, manifest.blobs.weights, checkingDigests && checkingWeights)
    try LoadedModel.check("tokenizer", parts.tokenizer, manifest.blobs.tokenizer, checkingDigests)
    if let blob = manifest.blobs.chatTemplate, let template = parts.chatTemplate {
      try LoadedModel.check("chat template", template, blob, checkingDigests)
    }
    self.digest = digest
    self.manifestBytes = manifestBytes
    do throws(ModelRejection) { image = try ModelImage(manifest: manifest, weights: parts.weights) } catch {
      throw LoadRejection.model(error)
    }
    tokenizer = parts.tokenizer.array
    chatTemplate = manifest.blobs.chatTemplate == nil ? nil : parts.chatTemplate?.array
  }

  /// - Throws: ``LoadRejection``, `CancellationError` when the task that it runs in is cancelled.
  private static func check(
    _ part: String, _ bytes: ModelBytes, _ blob: ModelManifest.Blob, _ checkingDigests: Bool
  ) throws {
    guard bytes.count == blob.bytes else {
      throw LoadRejection.size(part: part, found: bytes.count, stated: blob.bytes)
    }
    guard checkingDigests else { return }
    var digest = StreamingDigest<ModelManifest.Blob>()
    try bytes.forEachPiece { piece in
      try Task.checkCancellation()
      digest.update(piece)
    }
    let found = digest.finalized()
    guard found == blob.digest else {
      throw LoadRejection.digest(part: part, found: found.description, stated: blob.digest.description)
    }
  }
}
