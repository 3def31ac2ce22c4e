/// The numbers that shape a model.
///
/// Optional members are nil or empty when they have no effect. Which of them a model may have is its
/// architecture's to say.
///
/// Source: docs/spec/model.md, "Manifest".
public struct ModelConfiguration: Sendable, Equatable {
  public var hiddenSize: Int
  public var layers: Int
  public var heads: Int
  public var keyValueHeads: Int
  public var headDimension: Int
  /// Width of an MLP's hidden layer; with experts, of each expert's.
  public var intermediateSize: Int
  public var vocabularySize: Int
  public var contextLength: Int
  /// F: fractional bits of the residual stream.
  public var residualFractionBits: Int
  /// ε = round(eps · hiddenSize · 2^(2F)).
  public var normEpsilon: Int
  /// Whether the head's rows are also the embedding.
  public var tiedEmbeddings: Bool

  public var activation: Activation
  /// C of the attention scores, in units of 2^-12.
  public var attentionSoftcap: Int?
  /// Projections that have a bias.
  public var biases: Set<Projection>
  /// What embeddings are multiplied by, in units of 2^-14.
  public var embeddingScale: Int?
  public var experts: Int?
  /// Slots: how many experts a position uses. Present when `experts` is.
  public var expertsPerToken: Int?
  /// Whether a slot's share is one of all experts, not only of the slots.
  public var expertSharesOfAll: Bool
  /// ε = round(eps · headDimension · 2^(2F)), of the norms of queries and keys.
  public var headNormEpsilon: Int?
  /// Layers that see only `window` positions.
  public var localLayers: Set<Int>
  /// C of the logits, in units of 2^-16.
  public var logitsSoftcap: Int?
  /// Whether embeddings have length 1.
  public var normalised: Bool
  /// How an encoder's residuals become one vector; nil in decoders.
  public var pooling: Pooling?
  /// Layers without rope.
  public var ropelessLayers: Set<Int>
  /// Positions that a local layer sees.
  public var window: Int?

  public init(
    hiddenSize: Int, layers: Int, heads: Int, keyValueHeads: Int, headDimension: Int, intermediateSize: Int,
    vocabularySize: Int, contextLength: Int, residualFractionBits: Int, normEpsilon: Int, tiedEmbeddings: Bool,
    activation: Activation = .silu, attentionSoftcap: Int? = nil, biases: Set<Projection> = [],
    embeddingScale: Int? = nil, experts: Int? = nil, expertsPerToken: Int? = nil, expertSharesOfAll: Bool = false,
    headNormEpsilon: Int? = nil, localLayers: Set<Int> = [], logitsSoftcap: Int? = nil, normalised: Bool = false,
    pooling: Pooling? = nil, ropelessLayers: Set<Int> = [], window: Int? = nil
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
    self.activation = activation
    self.attentionSoftcap = attentionSoftcap
    self.biases = biases
    self.embeddingScale = embeddingScale
    self.experts = experts
    self.expertsPerToken = expertsPerToken
    self.expertSharesOfAll = expertSharesOfAll
    self.headNormEpsilon = headNormEpsilon
    self.localLayers = localLayers
    self.logitsSoftcap = logitsSoftcap
    self.normalised = normalised
    self.pooling = pooling
    self.ropelessLayers = ropelessLayers
    self.window = window
  }

  /// Whether the model turns a text into a vector instead of continuing it.
  public var isEncoder: Bool { pooling != nil }
}

/// A product of a layer that may have a bias; the raw value is its name among the tensors.
public enum Projection: String, Sendable, CaseIterable {
  case query = "q_proj"
  case key = "k_proj"
  case value = "v_proj"
  case output = "o_proj"
  case gate = "gate_proj"
  case up = "up_proj"
  case down = "down_proj"
}
