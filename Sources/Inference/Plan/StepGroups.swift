import ModelGraph

/// The nodes of a graph cut into steps: what runs between two barriers.
enum StepGroup {
  case rows([Int])
  case linear([Int])
  /// Products with the experts of each row.
  case experts([Int])
  case attention(Int)
  /// The product that yields logits, and what follows it.
  case logits([Int])

  /// In evaluation order.
  ///
  /// - Parameter logits: the product that yields logits; nil in encoders.
  static func groups(of graph: Graph, logits: Int?) -> [StepGroup] {
    var groups: [StepGroup] = []
    let end = logits ?? graph.nodes.count
    for (index, node) in graph.nodes[..<end].enumerated() {
      switch node.op {
      case .linear:
        // Products side by side, as long as none waits for another.
        if case .linear(let open)? = groups.last, !node.inputs.contains(where: open.contains) {
          groups[groups.count - 1] = .linear(open + [index])
        } else {
          groups.append(.linear([index]))
        }
      case .expertLinear:
        if case .experts(let open)? = groups.last, graph.nodes[open[0]].inputs == node.inputs,
          case .expertLinear = graph.nodes[open[0]].op
        {
          groups[groups.count - 1] = .experts(open + [index])
        } else {
          groups.append(.experts([index]))
        }
      case .expertSum: groups.append(.experts([index]))
      case .attention: groups.append(.attention(index))
      case .embed, .embedPosition, .rmsNorm, .layerNorm, .quantise, .addBias, .normHeads, .rope, .quantiseHeads,
        .mergeHeads, .gated, .activate, .add, .addResiduals, .route, .softcap:
        if case .rows(let open)? = groups.last {
          groups[groups.count - 1] = .rows(open + [index])
        } else {
          groups.append(.rows([index]))
        }
      }
    }
    if let logits { groups.append(.logits(Array(logits..<graph.nodes.count))) }
    return groups
  }

  var nodes: [Int] {
    switch self {
    case .rows(let nodes), .linear(let nodes), .experts(let nodes), .logits(let nodes): nodes
    case .attention(let node): [node]
    }
  }

  /// Whether rows go through the whole group one by one, so that a value read for the last time leaves its
  /// place to the next one at once; otherwise only after the group.
  var isRowByRow: Bool {
    if case .rows = self { true } else { false }
  }
}
