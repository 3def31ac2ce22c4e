public import Digests

/// A model's identity card: what it computes, with which bytes, made from what.
///
/// The SHA-256 of its canonical bytes is the model's identity.
/// Source: docs/spec/model.md.
public struct ModelManifest: Sendable, Equatable {
  public static let schema = "evident.model.v1"
  public static let arithmetic = "evident.int.v1"
  /// A manifest longer than this is refused before it is parsed.
  public static let bytesMax = 16 << 20

  public var architecture: String
  public var config: ModelConfiguration
  /// φ_i: the turn per position in units of 2^-64 turns, at most headDimension / 2 of them.
  public var ropeFrequencies: [UInt64]
  /// The same for local layers, as many; nil in architectures whose local layers turn like the others.
  public var localRopeFrequencies: [UInt64]?
  public var tokens: SpecialTokens
  public var tensors: [TensorEntry]
  public var blobs: Blobs
  public var source: ModelSource

  public struct SpecialTokens: Sendable, Equatable {
    /// Ids that end generation; at least one in a decoder.
    public var endOfSequence: [Int32]
    public var beginOfSequence: Int32?
    public init(endOfSequence: [Int32], beginOfSequence: Int32?) {
      self.endOfSequence = endOfSequence
      self.beginOfSequence = beginOfSequence
    }
  }

  public struct Blob: Sendable, Equatable {
    public var digest: Digest<Blob>
    public var bytes: Int
    public init(digest: Digest<Blob>, bytes: Int) {
      self.digest = digest
      self.bytes = bytes
    }
  }

  public struct Blobs: Sendable, Equatable {
    public var weights: Blob
    public var tokenizer: Blob
    public var chatTemplate: Blob?
    public init(weights: Blob, tokenizer: Blob, chatTemplate: Blob?) {
      self.weights = weights
      self.tokenizer = tokenizer
      self.chatTemplate = chatTemplate
    }
    /// In pack order.
    public var all: [Blob] { [weights, tokenizer] + (chatTemplate.map { [$0] } ?? []) }
  }

  public struct ModelSource: Sendable, Equatable {
    public var format: String
    public var files: [SourceFile]
    public init(format: String, files: [SourceFile]) {
      self.format = format
      self.files = files
    }
  }

  public struct SourceFile: Sendable, Equatable {
    public var name: String
    public var digest: Digest<SourceFile>
    public var bytes: Int
    public init(name: String, digest: Digest<SourceFile>, bytes: Int) {
      self.name = name
      self.digest = digest
      self.bytes = bytes
    }
  }

  public init(
    architecture: String, config: ModelConfiguration, ropeFrequencies: [UInt64],
    localRopeFrequencies: [UInt64]? = nil, tokens: SpecialTokens, tensors: [TensorEntry], blobs: Blobs,
    source: ModelSource
  ) {
    self.architecture = architecture
    self.config = config
    self.ropeFrequencies = ropeFrequencies
    self.localRopeFrequencies = localRopeFrequencies
    self.tokens = tokens
    self.tensors = tensors
    self.blobs = blobs
    self.source = source
  }

  /// The model's identity: SHA-256 of the canonical bytes.
  public var digest: Digest<ModelManifest> { Digest(of: canonicalBytes) }

  /// The frequencies of a table that the model's graph names.
  public func frequencies(_ table: RopeTable) -> [UInt64] {
    switch table {
    case .global: return ropeFrequencies
    case .local:
      guard let local = localRopeFrequencies else { preconditionFailure("a checked model has what its graph names") }
      return local
    }
  }

  public func tensor(_ name: String) -> TensorEntry? {
    tensors.first { $0.name.utf8.elementsEqual(name.utf8) }
  }
}
