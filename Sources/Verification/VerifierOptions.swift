public import Digests
public import ModelGraph
public import Receipts
public import Transparency

/// What the verifier is asked, and what it may use.
public struct VerifierOptions: Sendable {
  /// Recompute the answer. Without this, nothing is run even when the model is here.
  public var replay = false
  /// A receipt without opening is enough: nothing is asked about prompt and answer.
  public var receiptOnly = false
  /// Levels that must be established besides ``Level/signed`` and, with ``replay``, ``Level/replayed``.
  public var requiredLevels: Set<Level> = []
  /// Whom to believe about public logs; nil believes the log that the receipt itself names, and no witness, which is
  /// worth nothing against that log's operator.
  public var policy: TrustPolicy?
  /// What somebody saw who looked the receipt up in its log.
  public var observation: LogObservation?
  /// Whether the receipt was to be looked up: then nothing is verified where that decided nothing.
  public var isLookupAskedFor = false
  /// What must hold beyond the evidence's own words.
  public var expected = Expectations()
  /// The models of this machine.
  public var models: any ModelLibrary = NoModels()

  public init() {}

  /// Nobody needs the model's files then.
  var asksOnlyForReceipt: Bool { receiptOnly && !levelsAskedFor.contains(.replayed) }

  /// What the caller knows from elsewhere. What is nil is not compared.
  public struct Expectations: Sendable {
    /// Keys that the caller accepts, and with them their successors; empty accepts any.
    public var keys: Set<NodePublicKey> = []
    public var model: Digest<ModelManifest>?
    /// What the caller sent as nonce.
    public var nonce: [UInt8]?
    public var request: Request?
    /// What the caller received.
    public var text: String?
    public var embeddingRequest: EmbeddingRequest?
    public var vectors: [EmbeddingVector]?

    public init() {}
  }
}

/// Where the verifier finds the model that a statement names.
///
/// Soundness: a library that hands out another model than it was asked for can make the verifier
/// refute an honest answer or accept a false one. It belongs to the machine that you trust.
public protocol ModelLibrary: Sendable {
  /// nil when the model is not here.
  func renderer(for model: Digest<ModelManifest>) -> (any PromptRenderer)?
  /// nil when the model is not here.
  func recomputation(for model: Digest<ModelManifest>) -> (any Recomputation)?
}

/// A machine without models: everything that needs one is skipped.
public struct NoModels: ModelLibrary {
  public init() {}
  public func renderer(for model: Digest<ModelManifest>) -> (any PromptRenderer)? { nil }
  public func recomputation(for model: Digest<ModelManifest>) -> (any Recomputation)? { nil }
}
