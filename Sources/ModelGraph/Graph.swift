/// One operator applied to earlier values. The node's own index names its result.
public struct GraphNode: Sendable, Equatable {
  /// The value's name in traces.
  public let name: String
  public let op: Operator
  /// Indices of earlier nodes; empty for `embed` and `embedPosition`, which read the token and its position.
  public let inputs: [Int]
  /// Elements of the result per position; of routes the number of slots.
  public let width: Int
}

/// A model as a list of nodes in evaluation order. The last one yields a decoder's logits, or an encoder's
/// residuals.
public struct Graph: Sendable, Equatable {
  public private(set) var nodes: [GraphNode] = []
  /// The number of key-value caches that attention nodes use.
  public private(set) var caches = 0

  public init() {}

  /// Appends a node and returns its index.
  @discardableResult
  public mutating func append(_ name: String, _ op: Operator, _ inputs: [Int], width: Int) -> Int {
    precondition(inputs.allSatisfy { $0 < nodes.count }, "a node may read only earlier nodes")
    if case .attention(let attention) = op { caches = max(caches, attention.cache + 1) }
    nodes.append(GraphNode(name: name, op: op, inputs: inputs, width: width))
    return nodes.count - 1
  }

  public var output: Int { nodes.count - 1 }

  /// Of a decoder: the product that yields logits. It and what follows are needed only at positions whose logits
  /// are wanted.
  public var logits: Int {
    if case .softcap = nodes[output].op { return output - 1 }
    return output
  }
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
