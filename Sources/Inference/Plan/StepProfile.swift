/// Where an engine's time went, by kind of step: the same step of every layer counts together.
public struct StepProfile: Sendable {
  public struct Row: Sendable {
    /// The values that the step yields, without their layer: "gate up", "attn".
    public let name: String
    public internal(set) var nanoseconds = 0
    /// Multiplications with weights; 0 where a step has none.
    public internal(set) var multiplications = 0
    /// Bytes of weights that were read once per chunk.
    public internal(set) var weightBytes = 0
  }

  /// In the order of the plan.
  public internal(set) var rows: [Row] = []
  private var index: [String: Int] = [:]

  mutating func add(_ name: String, nanoseconds: Int, multiplications: Int, weightBytes: Int) {
    let at = index[name] ?? rows.count
    if at == rows.count {
      index[name] = at
      rows.append(Row(name: name))
    }
    rows[at].nanoseconds += nanoseconds
    rows[at].multiplications += multiplications
    rows[at].weightBytes += weightBytes
  }
}

/// Collects what one member sees; every step ends with all of them.
final class StepClock {
  private(set) var profile = StepProfile()
  private let names: [String]
  private var last = ContinuousClock.now

  init(_ plan: Plan) { names = plan.steps.indices.map { plan.label(of: $0) } }

  func begin() { last = .now }

  func end(_ step: Int, multiplications: Int, weightBytes: Int) {
    let now = ContinuousClock.now
    let parts = last.duration(to: now).components
    profile.add(
      names[step], nanoseconds: Int(parts.seconds) * 1_000_000_000 + Int(parts.attoseconds / 1_000_000_000),
      multiplications: multiplications, weightBytes: weightBytes)
    last = now
  }
}

extension Plan {
  /// What a step yields, without the number of its layer.
  func label(of step: Int) -> String {
    let nodes: [Int]
    switch steps[step] {
    case .rows(let range): nodes = range.compactMap { rowOperations[$0].node }
    case .linear(let range): nodes = range.map { linears[$0].node }
    case .experts(let step): nodes = step.products.map(\.node)
    case .attention(let attention): nodes = [attention.node]
    case .logits(let logits): nodes = [logits.product.node]
    case .residuals: return "result"
    }
    return nodes.map { names[$0] }.map { $0.hasPrefix("layers.") ? String($0.split(separator: ".")[2]) : $0 }
      .joined(separator: " ")
  }

  /// The weights of a step, and how many rows they are multiplied by.
  func weights(of step: Int, _ chunk: Chunk) -> (weights: [PackedLinear], rows: Int) {
    switch steps[step] {
    case .linear(let range): (range.map { linears[$0].weight }, chunk.rows)
    case .logits(let logits): ([logits.product.weight], chunk.wanted.count)
    case .rows, .experts, .attention, .residuals: ([], 0)
    }
  }
}
