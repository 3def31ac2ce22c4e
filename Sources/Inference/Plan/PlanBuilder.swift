import CKernels
import ModelGraph

/// Resolves every node to the addresses it reads and writes.
struct PlanBuilder {
  let image: ModelImage
  let weights: PackedWeights
  let buffers: [ValueBuffer]
  /// Where results of the slots of experts wait for their sum.
  let products: ValueBuffer?
  let rotations: [RopeTable: RotationTable]
  private(set) var steps: [Step] = []
  private(set) var rowOperations: [RowOperation] = []
  private(set) var linears: [LinearOperation] = []

  init(
    image: ModelImage, weights: PackedWeights, buffers: [ValueBuffer], products: ValueBuffer?,
    rotations: [RopeTable: RotationTable]
  ) {
    self.image = image
    self.weights = weights
    self.buffers = buffers
    self.products = products
    self.rotations = rotations
  }

  private var graph: Graph { image.graph }

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
      case .experts(let nodes): steps.append(.experts(nodes.map(experts)))
      case .expertSum(let node): steps.append(.expertSum(experts(node)))
      case .attention(let node): steps.append(.attention(attention(node)))
      case .logits(let node, let cap): steps.append(.logits(linear(node), cap: cap.map(softcap)))
      }
    }
  }

  /// Multiplications per row, the last product and attention aside.
  var weightsPerRow: Int {
    let operations = steps.flatMap { step -> [ExpertOperation] in
      switch step {
      case .experts(let list): list
      case .expertSum(let operation): [operation]
      case .rows, .linear, .attention, .logits: []
      }
    }
    return linears.reduce(0) { $0 + $1.weight.columns * $1.weight.rows }
      + operations.reduce(0) { $0 + $1.routes.width * $1.experts[0].columns * $1.experts[0].rows }
  }

  private func linear(_ index: Int) -> LinearOperation {
    let node = graph.nodes[index]
    guard case .linear(let name) = node.op else { preconditionFailure("not a product") }
    return LinearOperation(
      weight: weights.linear(name), input: buffers[node.inputs[0]], out: buffers[index], node: index)
  }

  private func experts(_ index: Int) -> ExpertOperation {
    let node = graph.nodes[index]
    let (name, target): (String, ValueBuffer?) =
      switch node.op {
      case .expertLinear(let name, _): (name, buffers[index])
      case .expertSum(let name, _): (name, products)
      default: preconditionFailure("not a product of experts")
      }
    guard let target else { preconditionFailure("a graph with sums of experts has room for their products") }
    return ExpertOperation(
      experts: weights.experts(name), input: buffers[node.inputs[0]], routes: buffers[node.inputs[1]],
      out: buffers[index], products: target, node: index)
  }

  private func softcap(_ index: Int) -> SoftcapOperation {
    guard case .softcap(let cap) = graph.nodes[index].op else { preconditionFailure("not a cap") }
    return SoftcapOperation(cap: Int32(cap), node: index)
  }

  private func attention(_ index: Int) -> AttentionOperation {
    let node = graph.nodes[index]
    guard case .attention(let a) = node.op else { preconditionFailure("not attention") }
    return AttentionOperation(
      queries: buffers[node.inputs[0]], out: buffers[index], cache: a.cache, heads: a.heads,
      keyValueHeads: a.keyValueHeads, window: a.window ?? 0, softcap: a.softcap ?? 0, causal: a.causal, node: index)
  }

  /// What fills the cache that the attention node reads.
  private func store(_ attention: Int) -> RowOperation {
    let node = graph.nodes[attention]
    guard case .attention(let attention) = node.op else { preconditionFailure("not attention") }
    let (keys, values) = (buffers[node.inputs[1]], buffers[node.inputs[2]])
    return RowOperation(body: .store(keys: keys, values: values, cache: attention.cache), out: keys, node: nil)
  }

  // MARK: Operators on rows

  private func rowOperation(_ index: Int) -> RowOperation {
    let node = graph.nodes[index]
    return RowOperation(body: body(node, node.inputs.map { buffers[$0] }), out: buffers[index], node: index)
  }

  private func body(_ node: GraphNode, _ inputs: [ValueBuffer]) -> RowOperation.Body {
    let fractionBits = Int32(image.manifest.config.residualFractionBits)
    let tables = KernelTables.shared
    switch node.op {
    case .embed(let name, tied: true, let scale):
      guard case .eight(let head) = weights.linear(name).format else {
        preconditionFailure("a tied head has 8-bit weights")
      }
      return .embedLinear(
        head, exponent: fractionBits - Int32(image.linear(name).exponent) - (scale == nil ? 0 : 14),
        scale: UInt32(scale ?? 1))
    case .embed(let name, tied: false, let scale):
      let (table, exponent) = table(name)
      return .embedTable(
        table, exponent: fractionBits - exponent - (scale == nil ? 0 : 14), scale: UInt32(scale ?? 1))
    case .embedPosition(let name):
      let (table, exponent) = table(name)
      return .embedPosition(table, exponent: fractionBits - exponent)
    case .rmsNorm(let name): return .rmsNorm(inputs[0], gain: gain(name))
    case .layerNorm(let name, let biasName): return .layerNorm(inputs[0], gain: gain(name), bias: bias(biasName))
    case .quantise: return .quantise(inputs[0])
    case .addBias(let name): return .addBias(inputs[0], bias: bias(name))
    case .normHeads(let heads, let name, let epsilon):
      return .normHeads(inputs[0], heads: Int32(heads), gain: gain(name), epsilon: Int64(epsilon))
    case .rope(let heads, let table):
      guard let rotation = rotations[table] else { preconditionFailure("every rope has its frequencies") }
      return .rope(inputs[0], heads: Int32(heads), rotation)
    case .quantiseHeads(_, let limit): return .quantiseHeads(inputs[0], limit: Int32(limit))
    case .mergeHeads: return .mergeHeads(inputs[0])
    case .gated(let activation):
      return .gated(gate: inputs[0], up: inputs[1], pairs: tables.pairs(activation))
    case .activate(let activation): return .activate(inputs[0], pairs: tables.pairs(activation))
    case .add: return .add(inputs[0], inputs[1])
    case .addResiduals: return .addResiduals(inputs[0], inputs[1])
    case .route(_, let sharesOfAll): return .route(inputs[0], sharesOfAll: sharesOfAll)
    case .linear, .attention, .expertLinear, .expertSum, .softcap: preconditionFailure("not an operator on rows")
    }
  }

  private func table(_ name: String) -> (RowOperation.Table, exponent: Int32) {
    let table = image.table16(name)
    guard let values = table.values.baseAddress, let multipliers = table.multipliers.baseAddress else {
      preconditionFailure("a checked table has rows")
    }
    return (RowOperation.Table(values: values, multipliers: multipliers), Int32(table.exponent))
  }

  private func gain(_ name: String) -> RowOperation.Vector {
    let gain = image.gain(name)
    return vector(gain.values, gain.exponent)
  }

  private func bias(_ name: String) -> RowOperation.Vector {
    let bias = image.bias(name)
    return vector(bias.values, bias.exponent)
  }

  private func vector(_ values: UnsafeBufferPointer<Int32>, _ exponent: Int) -> RowOperation.Vector {
    guard let base = values.baseAddress else { preconditionFailure("a checked vector has elements") }
    return RowOperation.Vector(values: base, exponent: Int32(exponent))
  }
}
