/// The closed set of integer operators. Semantics: docs/spec/arithmetic.md, section 4.
///
/// A new case makes the compiler point at every place that must handle it: the reference
/// interpreter, the kernels' plan, later the proof relations.
public enum Operator: Sendable, Equatable {
  /// token → residual. The table is a table16, or the tied head; the scale has 14 fractional bits.
  case embed(table: String, tied: Bool, scale: Int?)
  /// position → residual, from a table16.
  case embedPosition(table: String)
  /// residual → act16
  case rmsNorm(gain: String)
  /// residual → residual
  case layerNorm(gain: String, bias: String)
  /// residual → act16
  case quantise
  /// act16 → act32
  case linear(weight: String)
  /// act32 → act32
  case addBias(bias: String)
  /// act32 → act32. Each head by itself; ε counts squares of a head's width.
  case normHeads(heads: Int, gain: String, epsilon: Int)
  /// act32 → act32
  case rope(heads: Int, table: RopeTable)
  /// act32 → heads16, each head's mantissas within ±limit
  case quantiseHeads(heads: Int, limit: Int)
  /// queries, keys, values (heads16 each) → heads32
  case attention(Attention)
  /// heads32 → act16
  case mergeHeads
  /// gate, up (act32 each) → act16
  case gated(Activation)
  /// act32 → act16
  case activate(Activation)
  /// residual, act32 → residual
  case add
  /// residual, residual → residual
  case addResiduals
  /// act32, one element per expert → routes
  case route(slots: Int, sharesOfAll: Bool)
  /// act16, routes → act32: the results of all slots side by side.
  case expertLinear(weight: String, experts: Int)
  /// act16 with the inputs of all slots side by side, routes → act32: the weighted sum over the slots.
  case expertSum(weight: String, experts: Int)
  /// act32 → act32
  case softcap(cap: Int)
}

/// What an attention node reads and sees.
public struct Attention: Sendable, Equatable {
  /// The number of the key-value cache that it extends.
  public let cache: Int
  public let heads: Int
  public let keyValueHeads: Int
  /// Positions that a query sees, its own included; nil for all.
  public let window: Int?
  /// C of section 4.6, in units of a score.
  public let softcap: Int?
  /// Whether a query sees only its own position and those before; false in encoders.
  public let causal: Bool

  public init(cache: Int, heads: Int, keyValueHeads: Int, window: Int?, softcap: Int?, causal: Bool) {
    self.cache = cache
    self.heads = heads
    self.keyValueHeads = keyValueHeads
    self.window = window
    self.softcap = softcap
    self.causal = causal
  }

  /// The positions that a query sees. Source: docs/spec/arithmetic.md, section 4.6.
  ///
  /// - Parameter count: positions of the sequence so far; all of them in an encoder.
  public func visible(from position: Int, count: Int) -> Range<Int> {
    guard causal else { return 0..<count }
    return (window.map { max(0, position - $0 + 1) } ?? 0)..<(position + 1)
  }
}

/// x · Σ(x): which table Σ is.
///
/// Source: docs/spec/arithmetic.md, section 4.8.
public enum Activation: String, Sendable, CaseIterable {
  case silu, geluTanh, gelu
}

/// Which of a model's frequencies rotate a head.
public enum RopeTable: Sendable, Equatable {
  case global, local
}
