/// The closed set of integer operators. Semantics: docs/spec/arithmetic.md, section 4.
///
/// A new case makes the compiler point at every place that must handle it: the reference
/// interpreter, the kernels' plan, later the proof relations.
public enum Operator: Sendable, Equatable {
  /// token → residual. The table is a table16, or the tied linear8 head.
  case embed(table: String, tied: Bool)
  /// residual → act16
  case rmsNorm(gain: String)
  /// act16 → act32
  case linear(weight: String)
  /// act32 → act32
  case rope(heads: Int)
  /// act32 → heads16, each head's mantissas within ±limit
  case quantiseHeads(heads: Int, limit: Int)
  /// queries, keys, values (heads16 each) → heads32. `cache` numbers the key-value cache it extends.
  case attention(cache: Int, heads: Int, keyValueHeads: Int, window: Int?)
  /// heads32 → act16
  case mergeHeads
  /// gate, up (act32 each) → act16
  case swiglu
  /// residual, act32 → residual
  case add
}

/// One operator applied to earlier values. The node's own index names its result.
public struct GraphNode: Sendable, Equatable {
  /// The value's name in traces.
  public let name: String
  public let op: Operator
  /// Indices of earlier nodes; empty for `embed`, which reads the token.
  public let inputs: [Int]
  /// Elements of the result per position.
  public let width: Int
}

/// A decoder as a list of nodes in evaluation order; the last one yields the logits.
public struct Graph: Sendable, Equatable {
  public private(set) var nodes: [GraphNode] = []
  /// The number of key-value caches that attention nodes use.
  public private(set) var caches = 0

  public init() {}

  /// Appends a node and returns its index.
  @discardableResult
  public mutating func append(_ name: String, _ op: Operator, _ inputs: Int..., width: Int) -> Int {
    precondition(inputs.allSatisfy { $0 < nodes.count }, "a node may read only earlier nodes")
    if case .attention(let cache, _, _, _) = op { caches = max(caches, cache + 1) }
    nodes.append(GraphNode(name: name, op: op, inputs: inputs, width: width))
    return nodes.count - 1
  }

  public var output: Int { nodes.count - 1 }
}

/// The mantissa limits of quantised heads (section 4.5).
public enum HeadLimit {
  public static let keyValue = 4095

  /// The largest 2^b − 1, b ≤ 12, with limit · 4095 · headDimension < 2^31.
  public static func query(headDimension: Int) -> Int {
    var b = 12
    while ((1 << b) - 1) * keyValue * headDimension >= 1 << 31 { b -= 1 }
    return (1 << b) - 1
  }
}
