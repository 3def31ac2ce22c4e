import ModelGraph

/// The nodes of a graph cut into steps: what runs between two barriers.
enum StepGroup {
  case rows([Int])
  case linear([Int])
  case attention(Int)
  case logits(Int)

  /// In evaluation order.
  static func groups(of graph: Graph) -> [StepGroup] {
    var groups: [StepGroup] = []
    for (index, node) in graph.nodes.enumerated() {
      switch node.op {
      case .linear where index == graph.output: groups.append(.logits(index))
      case .linear:
        // Products side by side, as long as none waits for another.
        if case .linear(let open)? = groups.last, !node.inputs.contains(where: open.contains) {
          groups[groups.count - 1] = .linear(open + [index])
        } else {
          groups.append(.linear([index]))
        }
      case .attention: groups.append(.attention(index))
      case .embed, .embedPosition, .rmsNorm, .layerNorm, .quantise, .addBias, .normHeads, .rope, .quantiseHeads,
        .mergeHeads, .gated, .activate, .add, .addResiduals, .route, .softcap, .expertLinear, .expertSum:
        if case .rows(let open)? = groups.last {
          groups[groups.count - 1] = .rows(open + [index])
        } else {
          groups.append(.rows([index]))
        }
      }
    }
    return groups
  }

  var nodes: [Int] {
    switch self {
    case .rows(let nodes), .linear(let nodes): nodes
    case .attention(let node), .logits(let node): [node]
    }
  }

  /// Whether rows go through the whole group one by one, so that a value read for the last time leaves its
  /// place to the next one at once; otherwise only after the group.
  var isRowByRow: Bool {
    if case .rows = self { true } else { false }
  }
}
