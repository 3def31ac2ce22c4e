import CKernels
import ModelGraph

/// Resolves every node to the addresses it reads and writes.
struct PlanBuilder {
  private let image: ModelImage
  private let weights: PackedWeights
  /// The product that yields logits; nil in encoders.
  private let logits: Int?
  private let buffers: [ValueBuffer]
  private let rotations: [(table: RopeTable, rotation: Rotation)]
  /// Room for the results of a row's experts before they are added up.
  private let partial: UnsafeMutablePointer<Int32>
  private(set) var steps: [Step] = []
  private(set) var rowOperations: [RowOperation] = []
  private(set) var linears: [LinearOperation] = []
  /// See ``Plan/weightsPerRow``.
  private(set) var weightsPerRow = 0

  init(
    image: ModelImage, weights: PackedWeights, logits: Int?, buffers: [ValueBuffer],
    rotations: [(RopeTable, Rotation)], partial: UnsafeMutablePointer<Int32>
  ) {
    self.image = image
    self.weights = weights
    self.logits = logits
    self.buffers = buffers
    self.rotations = rotations
    self.partial = partial
  }

  private var graph: Graph { image.graph }
  private var fractionBits: Int { image.manifest.config.residualFractionBits }

  mutating func build() {
    let groups = StepGroup.groups(of: graph, logits: logits)
    for (position, group) in groups.enumerated() {
      switch group {
      case .rows(let nodes):
        let first = rowOperations.count
        if position == 0 {
          for (_, rotation) in rotations {
            rowOperations.append(RowOperation(body: .angles(rotation), out: buffers[0], node: nil))
          }
        }
        for node in nodes { rowOperations.append(rowOperation(node)) }
        if position + 1 < groups.count, case .attention(let next) = groups[position + 1] {
          rowOperations.append(store(next))
        }
        steps.append(.rows(first..<rowOperations.count))
      case .linear(let nodes):
        let first = linears.count
        for node in nodes { linears.append(linear(node)) }
        for linear in linears[first...] { weightsPerRow += linear.weight.rows * linear.weight.columns }
        steps.append(.linear(first..<linears.count))
      case .experts(let nodes):
        let step = experts(nodes)
        for product in step.products {
          weightsPerRow += step.slots * product.weights[0].rows * product.weights[0].columns
        }
        steps.append(.experts(step))
      case .attention(let node): steps.append(.attention(attention(node)))
      case .logits(let nodes): steps.append(.logits(logits(nodes)))
      }
    }
    if logits == nil { steps.append(.residuals(buffers[graph.output])) }
  }

  // MARK: Steps for all rows

  private func linear(_ index: Int) -> LinearOperation {
    let node = graph.nodes[index]
    guard case .linear(let name) = node.op else { preconditionFailure("not a product") }
    return LinearOperation(weight: weight(name), input: buffers[node.inputs[0]], out: buffers[index], node: index)
  }

  private func logits(_ nodes: [Int]) -> LogitsOperation {
    var softcap: (cap: Int32, node: Int)?
    for index in nodes.dropFirst() {
      guard softcap == nil, case .softcap(let cap) = graph.nodes[index].op else {
        preconditionFailure("logits are followed by one cap at most")
      }
      softcap = (Int32(cap), index)
    }
    return LogitsOperation(product: linear(nodes[0]), softcap: softcap)
  }

  private func experts(_ nodes: [Int]) -> ExpertStep {
    let inputs = graph.nodes[nodes[0]].inputs
    var isSum = false
    let products = nodes.map { index in
      let name: String
      switch graph.nodes[index].op {
      case .expertLinear(let weight, _): name = weight
      case .expertSum(let weight, _): (name, isSum) = (weight, true)
      default: preconditionFailure("not a product with experts")
      }
      guard let experts = weights.experts[name] else { preconditionFailure("experts of the graph were not packed") }
      return ExpertStep.Product(weights: experts, out: buffers[index], node: index)
    }
    return ExpertStep(
      products: products, input: buffers[inputs[0]], routes: buffers[inputs[1]], partial: isSum ? partial : nil)
  }

  /// An encoder keeps no keys and values beyond a layer, so that its layers share one cache.
  private func cache(_ a: Attention) -> Int { a.causal ? a.cache : 0 }

  private func attention(_ index: Int) -> AttentionOperation {
    let node = graph.nodes[index]
    guard case .attention(let a) = node.op else { preconditionFailure("not attention") }
    return AttentionOperation(
      queries: buffers[node.inputs[0]], out: buffers[index], cache: cache(a), heads: a.heads,
      keyValueHeads: a.keyValueHeads, window: a.window ?? 0, softcap: a.softcap ?? 0, causal: a.causal, node: index)
  }

  /// What fills the cache that the attention node reads.
  private func store(_ attention: Int) -> RowOperation {
    let node = graph.nodes[attention]
    guard case .attention(let a) = node.op else { preconditionFailure("not attention") }
    let (keys, values) = (buffers[node.inputs[1]], buffers[node.inputs[2]])
    return RowOperation(body: .store(keys: keys, values: values, cache: cache(a)), out: keys, node: nil)
  }

  // MARK: Operators on rows

  private func rowOperation(_ index: Int) -> RowOperation {
    let node = graph.nodes[index]
    return RowOperation(body: body(node, node.inputs.map { buffers[$0] }), out: buffers[index], node: index)
  }

  private func body(_ node: GraphNode, _ inputs: [ValueBuffer]) -> RowOperation.Body {
    switch node.op {
    case .embed(let name, tied: true, let scale):
      let exponent = fractionBits - image.linear(name).exponent - (scale == nil ? 0 : 14)
      return .embedLinear(weight(name).format, scale: UInt32(scale ?? 1), exponent: Int32(exponent))
    case .embed(let name, tied: false, let scale): return .embedTable(table(name, scale))
    case .embedPosition(let name): return .embedPosition(table(name, nil))
    case .rmsNorm(let name): return .rmsNorm(inputs[0], gain: gain(name))
    case .layerNorm(let name, let biasName): return .layerNorm(inputs[0], gain: gain(name), bias: bias(biasName))
    case .quantise: return .quantise(inputs[0])
    case .addBias(let name): return .addBias(inputs[0], bias(name))
    case .normHeads(let heads, let name, let epsilon):
      return .normHeads(inputs[0], heads: Int32(heads), gain: gain(name), epsilon: Int64(epsilon))
    case .rope(let heads, let table):
      guard let rotation = rotations.first(where: { $0.table == table })?.rotation else {
        preconditionFailure("every table of the graph has its rotation")
      }
      return .rope(inputs[0], heads: Int32(heads), rotation)
    case .quantiseHeads(_, let limit): return .quantiseHeads(inputs[0], limit: Int32(limit))
    case .mergeHeads: return .mergeHeads(inputs[0])
    case .gated(let activation):
      return .gated(gate: inputs[0], up: inputs[1], table: KernelTables.shared.pairs(of: activation))
    case .activate(let activation): return .activate(inputs[0], table: KernelTables.shared.pairs(of: activation))
    case .add: return .add(inputs[0], inputs[1])
    case .addResiduals: return .addResiduals(inputs[0], inputs[1])
    case .route(_, let sharesOfAll): return .route(inputs[0], sharesOfAll: sharesOfAll)
    case .softcap(let cap): return .softcap(inputs[0], cap: Int32(cap))
    case .linear, .attention, .expertLinear, .expertSum: preconditionFailure("not an operator on rows")
    }
  }

  // MARK: Tensors

  private func weight(_ name: String) -> PackedLinear {
    guard let weight = weights.linears[name] else { preconditionFailure("a weight of the graph was not packed") }
    return weight
  }

  private func table(_ name: String, _ scale: Int?) -> RowOperation.Table {
    let table = image.table16(name)
    guard let values = table.values.baseAddress, let multipliers = table.multipliers.baseAddress else {
      preconditionFailure("a checked table has rows")
    }
    return RowOperation.Table(
      values: values, multipliers: multipliers, scale: UInt64(scale ?? 1),
      exponent: Int32(fractionBits - table.exponent - (scale == nil ? 0 : 14)))
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
