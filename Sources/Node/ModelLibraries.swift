public import Digests
public import Inference
public import ModelFiles
public import ModelGraph
import Synchronization
public import Verification

/// The model that is already loaded, and no other.
public struct OneModel: ModelLibrary {
  private let model: ServedModel

  public init(_ model: ServedModel) { self.model = model }

  public func renderer(for digest: Digest<ModelManifest>) -> (any PromptRenderer)? {
    digest == model.digest ? model.text : nil
  }

  public func recomputation(for digest: Digest<ModelManifest>) -> (any Recomputation)? {
    digest == model.digest ? EngineRecomputation(engine: model.engine) : nil
  }
}

/// The models of this machine, opened and hashed when evidence names one: for their text alone without the weights, and
/// once for all files that name the same.
public struct StoreLibrary: ModelLibrary {
  /// What recomputes: the fast kernels, or the interpreter of the trusted closure alone.
  public enum Backend: Sendable { case engine(EngineOptions), reference }

  private let store: ModelStore
  private let backend: Backend
  private let report: @Sendable (String) -> Void
  private let texts = Texts()

  /// The last one that was asked for.
  private final class Texts: Sendable {
    let last = Mutex<(digest: Digest<ModelManifest>, text: ModelText)?>(nil)
  }

  /// - Parameter report: hears why a model that is here cannot be used.
  public init(store: ModelStore, backend: Backend, report: @escaping @Sendable (String) -> Void) {
    self.store = store
    self.backend = backend
    self.report = report
  }

  public func renderer(for digest: Digest<ModelManifest>) -> (any PromptRenderer)? {
    if let last = texts.last.withLock({ $0 }), last.digest == digest { return last.text }
    let text = open(digest, checkingWeights: false) {
      try ModelText(manifest: $0.manifest, tokenizer: $0.tokenizer, template: $0.chatTemplate)
    }
    if let text { texts.last.withLock { $0 = (digest, text) } }
    return text
  }

  public func recomputation(for digest: Digest<ModelManifest>) -> (any Recomputation)? {
    open(digest, checkingWeights: true) { model -> any Recomputation in
      switch backend {
      case .engine(let options): EngineRecomputation(engine: try Engine(image: model.image, options: options))
      case .reference: ReferenceRecomputation(image: model.image)
      }
    }
  }

  /// nil when the model is not here, or is not what its digest says.
  private func open<T>(
    _ digest: Digest<ModelManifest>, checkingWeights: Bool, _ body: (LoadedModel) throws -> T
  ) -> T? {
    do {
      let embedded = try EmbeddedModel.load(checkingWeights: checkingWeights)
      let model =
        embedded.digest == digest
        ? embedded : try store.open(.stored(digest), checkingDigests: true, checkingWeights: checkingWeights)
      return try body(model)
    } catch is StoreRejection {
      return nil
    } catch {
      report("the model \(digest) is on this machine but cannot be used: \(error)")
      return nil
    }
  }
}

// The engine computes outside the trusted closure; what the verifier makes of its logits does not.
extension EngineRecomputation: Recomputation {}
