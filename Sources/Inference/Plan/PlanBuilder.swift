import CKernels
import ModelGraph

/// Resolves every node to the addresses it reads and writes.
struct PlanBuilder {
  let image: ModelImage
  let weights: PackedWeights
  let buffers: [ValueBuffer]
  let logitsInput: ValueBuffer
  private(set) var steps: [Step] = []
  private(set) var rowOperations: [RowOperation] = []
  private(set) var linears: [LinearOperation] = []

  init(image: ModelImage, weights: PackedWeights, buffers: [ValueBuffer], logitsInput: ValueBuffer) {
    self.image = image
    self.weights = weights
    self.buffers = buffers
    self.logitsInput = logitsInput
  }

  private var graph: Graph { image.graph }

  /// The last product; it reads gathered rows.
  var logits: LinearOperation {
    let node = graph.nodes[graph.output]
    guard case .linear(let name) = node.op else { preconditionFailure("a decoder ends with a product") }
    return LinearOperation(
      weight: weight(name), input: buffers[node.inputs[0]], out: buffers[graph.output], node: graph.output)
  }

  mutating func build() {
    let groups = StepGroup.groups(of: graph)
    for (position, group) in groups.enumerated() {
      switch group {
      case .rows(let nodes):
        let first = rowOperations.count
        if position == 0 { rowOperations.append(RowOperation(body: .angles, out: buffers[0], node: nil)) }
        for node in nodes { rowOperations.append(rowOperation(node)) }
        if position + 1 < groups.count, case .attention(let next) = groups[position + 1] {
          rowOperations.append(store(next))
        }
        steps.append(.rows(first..<rowOperations.count))
      case .linear(let nodes):
        let first = linears.count
        for node in nodes { linears.append(linear(node)) }
        steps.append(.linear(first..<linears.count))
      case .attention(let node): steps.append(.attention(attention(node)))
      case .logits: steps.append(.logits(logits))
      }
    }
  }

  private func weight(_ name: String) -> PackedLinear {
    guard let weight = weights.linears[name] else { preconditionFailure("a weight of the graph was not packed") }
    return weight
  }

  private func linear(_ index: Int) -> LinearOperation {
    let node = graph.nodes[index]
    guard case .linear(let name) = node.op else { preconditionFailure("not a product") }
    return LinearOperation(weight: weight(name), input: buffers[node.inputs[0]], out: buffers[index], node: index)
  }

  private func attention(_ index: Int) -> AttentionOperation {
    let node = graph.nodes[index]
    guard case .attention(let a) = node.op else { preconditionFailure("not attention") }
    return AttentionOperation(
      queries: buffers[node.inputs[0]], out: buffers[index], cache: a.cache, heads: a.heads,
      keyValueHeads: a.keyValueHeads, window: a.window ?? 0, node: index)
  }

  /// What fills the cache that the attention node reads.
  private func store(_ attention: Int) -> RowOperation {
    let node = graph.nodes[attention]
    guard case .attention(let attention) = node.op else { preconditionFailure("not attention") }
    let (keys, values) = (buffers[node.inputs[1]], buffers[node.inputs[2]])
    return RowOperation(body: .store(keys: keys, values: values, cache: attention.cache), out: keys, node: nil)
  }

  private func rowOperation(_ index: Int) -> RowOperation {
    let node = graph.nodes[index]
    return RowOperation(body: body(node, node.inputs.map { buffers[$0] }), out: buffers[index], node: index)
  }

  private func body(_ node: GraphNode, _ inputs: [ValueBuffer]) -> RowOperation.Body {
    let fractionBits = image.manifest.config.residualFractionBits
    switch node.op {
    case .embed(let name, tied: true, scale: nil):
      let head = weight(name)
      return .embedLinear(head.c, exponent: Int32(fractionBits) - head.exponent)
    case .embed(let name, tied: false, scale: nil):
      let table = image.table16(name)
      guard let values = table.values.baseAddress, let multipliers = table.multipliers.baseAddress else {
        preconditionFailure("a checked table has rows")
      }
      return .embedTable(values: values, multipliers: multipliers, exponent: Int32(fractionBits - table.exponent))
    case .rmsNorm(let name):
      let gain = image.gain(name)
      guard let values = gain.values.baseAddress else { preconditionFailure("a checked gain has elements") }
      return .rmsNorm(inputs[0], gain: values, exponent: Int32(gain.exponent))
    case .rope(let heads, .global): return .rope(inputs[0], heads: Int32(heads))
    case .quantiseHeads(_, let limit): return .quantiseHeads(inputs[0], limit: Int32(limit))
    case .mergeHeads: return .mergeHeads(inputs[0])
    case .gated(.silu): return .swiglu(gate: inputs[0], up: inputs[1])
    case .add: return .add(inputs[0], inputs[1], fractionBits: Int32(fractionBits))
    case .linear, .attention: preconditionFailure("not an operator on rows")
    case .embed, .embedPosition, .layerNorm, .quantise, .addBias, .normHeads, .rope, .gated, .activate, .addResiduals,
      .route, .expertLinear, .expertSum, .softcap:
      preconditionFailure("the kernels do not have this operator yet")
    }
  }
}
