import ModelGraph

/// The nodes of a graph cut into steps: what runs between two barriers.
enum StepGroup {
  case rows([Int])
  case linear([Int])
  /// Products of the experts that each row chose.
  case experts([Int])
  case expertSum(Int)
  case attention(Int)
  /// The last product, and its cap.
  case logits(Int, cap: Int?)

  /// In evaluation order.
  static func groups(of graph: Graph) -> [StepGroup] {
    var groups: [StepGroup] = []
    let last = lastProduct(of: graph)
    for (index, node) in graph.nodes.enumerated() {
      switch node.op {
      case .linear where index == last:
        groups.append(.logits(index, cap: index == graph.output ? nil : graph.output))
        return groups
      case .linear:
        // Products side by side, as long as none waits for another.
        if case .linear(let open)? = groups.last, !node.inputs.contains(where: open.contains) {
          groups[groups.count - 1] = .linear(open + [index])
        } else {
          groups.append(.linear([index]))
        }
      case .expertLinear:
        if case .experts(let open)? = groups.last, !node.inputs.contains(where: open.contains) {
          groups[groups.count - 1] = .experts(open + [index])
        } else {
          groups.append(.experts([index]))
        }
      case .expertSum: groups.append(.expertSum(index))
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
    return groups
  }

  /// The product that yields a decoder's logits; nil in an encoder.
  static func lastProduct(of graph: Graph) -> Int? {
    switch graph.nodes[graph.output].op {
    case .linear: graph.output
    case .softcap: graph.nodes[graph.output].inputs[0]
    default: nil
    }
  }

  var nodes: [Int] {
    switch self {
    case .rows(let nodes), .linear(let nodes), .experts(let nodes): nodes
    case .attention(let node), .expertSum(let node): [node]
    case .logits(let node, let cap): [node] + (cap.map { [$0] } ?? [])
    }
  }

  /// Whether rows go through the whole group one by one, so that a value read for the last time leaves its
  /// place to the next one at once; otherwise only after the group.
  var isRowByRow: Bool {
    if case .rows = self { true } else { false }
  }
}
