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
  /// φ_i: the turn per position in units of 2^-64 turns, headDimension / 2 of them.
  public var ropeFrequencies: [UInt64]
  public var tokens: SpecialTokens
  public var tensors: [TensorEntry]
  public var blobs: Blobs
  public var source: ModelSource

  public struct SpecialTokens: Sendable, Equatable {
    /// Ids that end generation; at least one.
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
    architecture: String, config: ModelConfiguration, ropeFrequencies: [UInt64], tokens: SpecialTokens,
    tensors: [TensorEntry], blobs: Blobs, source: ModelSource
  ) {
    self.architecture = architecture
    self.config = config
    self.ropeFrequencies = ropeFrequencies
    self.tokens = tokens
    self.tensors = tensors
    self.blobs = blobs
    self.source = source
  }

  /// The model's identity: SHA-256 of the canonical bytes.
  public var digest: Digest<ModelManifest> { Digest(of: canonicalBytes) }

  public func tensor(_ name: String) -> TensorEntry? {
    tensors.first { $0.name.utf8.elementsEqual(name.utf8) }
  }
}

/// The integers that shape a decoder.
public struct ModelConfiguration: Sendable, Equatable {
  public var hiddenSize: Int
  public var layers: Int
  public var heads: Int
  public var keyValueHeads: Int
  public var headDimension: Int
  public var intermediateSize: Int
  public var vocabularySize: Int
  public var contextLength: Int
  /// F: fractional bits of the residual stream.
  public var residualFractionBits: Int
  /// ε = round(eps · hiddenSize · 2^(2F)).
  public var normEpsilon: Int
  /// Whether the head's rows are also the embedding.
  public var tiedEmbeddings: Bool

  public init(
    hiddenSize: Int, layers: Int, heads: Int, keyValueHeads: Int, headDimension: Int, intermediateSize: Int,
    vocabularySize: Int, contextLength: Int, residualFractionBits: Int, normEpsilon: Int, tiedEmbeddings: Bool
  ) {
    self.hiddenSize = hiddenSize
    self.layers = layers
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.headDimension = headDimension
    self.intermediateSize = intermediateSize
    self.vocabularySize = vocabularySize
    self.contextLength = contextLength
    self.residualFractionBits = residualFractionBits
    self.normEpsilon = normEpsilon
    self.tiedEmbeddings = tiedEmbeddings
  }
}

/// One tensor's place in the weights blob.
public struct TensorEntry: Sendable, Equatable {
  public enum Kind: String, Sendable {
    /// int8 [out, in] with a u32 multiplier per output.
    case linear8
    /// int16 [rows, columns] with a u32 multiplier per row.
    case table16
    /// int32 [n].
    case gain
  }

  public var name: String
  public var kind: Kind
  public var shape: [Int]
  /// f: the real value is integer · multiplier · 2^-f.
  public var exponent: Int
  public var offset: Int
  public var bytes: Int

  public init(name: String, kind: Kind, shape: [Int], exponent: Int, offset: Int, bytes: Int) {
    self.name = name
    self.kind = kind
    self.shape = shape
    self.exponent = exponent
    self.offset = offset
    self.bytes = bytes
  }

  /// The extent that kind and shape prescribe; nil when the shape is not one of that kind or too large.
  public static func bytes(kind: Kind, shape: [Int]) -> Int? {
    let sizeMax = 1 << 31
    guard shape.allSatisfy({ $0 > 0 && $0 <= sizeMax }) else { return nil }
    switch (kind, shape.count) {
    case (.gain, 1): return 4 * shape[0]
    case (.linear8, 2): return paddedTo64(shape[0] * shape[1]) + 4 * shape[0]
    case (.table16, 2):
      let (values, overflow) = (shape[0] * shape[1]).multipliedReportingOverflow(by: 2)
      return overflow || values > Int.max - 64 - 4 * shape[0] ? nil : paddedTo64(values) + 4 * shape[0]
    default: return nil
    }
  }

  /// Where the padding between values and multipliers lies, in the weights. Of a checked tensor only.
  var padding: Range<Int> {
    let valueBytes: Int
    switch kind {
    case .linear8: valueBytes = shape[0] * shape[1]
    case .table16: valueBytes = 2 * shape[0] * shape[1]
    case .gain: valueBytes = bytes
    }
    let start = offset + valueBytes
    return start..<(kind == .gain ? start : offset + TensorEntry.paddedTo64(valueBytes))
  }

  public static func paddedTo64(_ n: Int) -> Int { (n + 63) & ~63 }
}
