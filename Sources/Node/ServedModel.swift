public import Digests
public import Inference
public import ModelFiles
public import ModelGraph
import Receipts
public import Verification

/// A model as a node serves it: weights in an engine, text in both directions, a name.
public struct ServedModel: Sendable {
  public let name: String
  public let digest: Digest<ModelManifest>
  public let manifest: ModelManifest
  public let manifestJSON: JSON
  public let text: ModelText
  public let engine: Engine

  public var digestText: String { digest.description }
  /// Whether it makes embeddings instead of text.
  public var isEncoder: Bool { manifest.config.pooling != nil }

  /// - Throws: an error that names what about the model or the options cannot be used.
  public init(name: String, model: LoadedModel, options: EngineOptions) throws {
    self.name = name
    digest = model.digest
    manifest = model.manifest
    manifestJSON = try JSON.parse(model.manifestBytes)
    text = try ModelText(manifest: model.manifest, tokenizer: model.tokenizer, template: model.chatTemplate)
    engine = try Engine(image: model.image, options: options)
  }
}

extension AnswerRefusal {
  init(_ error: any Error) {
    self = if case PromptError.noChatTemplate = error { .noChatTemplate } else { .templateFailed("\(error)") }
  }
}
