/// A graph in the making, and the tensors that its nodes read: one place says both.
///
/// The functions here append one node each, and those of the extensions whole blocks. Values are the indices
/// of their nodes; their names are those of docs/spec/arithmetic.md, section 6.
public struct GraphBuilder {
  public let config: ModelConfiguration
  public private(set) var graph = Graph()
  public private(set) var tensors: [TensorShape] = []

  init(config: ModelConfiguration) { self.config = config }

  package var layers: Range<Int> { 0..<config.layers }
  package var hiddenSize: Int { config.hiddenSize }
  package var queryWidth: Int { config.heads * config.headDimension }
  package var keyValueWidth: Int { config.keyValueHeads * config.headDimension }

  /// Elements per position of an earlier value.
  package func width(_ value: Int) -> Int { graph.nodes[value].width }

  /// A node as wide as its first input, or as `width` says.
  @discardableResult
  package mutating func node(_ name: String, _ op: Operator, _ inputs: Int..., width: Int? = nil) -> Int {
    guard let width = width ?? inputs.first.map({ self.width($0) }) else {
      preconditionFailure("a node without inputs states its width")
    }
    return graph.append(name, op, inputs, width: width)
  }

  /// A tensor that some node reads.
  package mutating func tensor(_ name: String, _ role: TensorShape.Role, _ shape: Int...) {
    tensors.append(TensorShape(name, role, shape))
  }

  // MARK: Nodes with a tensor of their own

  package mutating func linear(
    _ name: String, weight: String, _ x: Int, width: Int, role: TensorShape.Role = .linear
  ) -> Int {
    tensor(weight, role, width, self.width(x))
    return node(name, .linear(weight: weight), x, width: width)
  }

  package mutating func rmsNorm(_ name: String, gain: String, _ x: Int) -> Int {
    tensor(gain, .gain, width(x))
    return node(name, .rmsNorm(gain: gain), x)
  }

  package mutating func layerNorm(_ name: String, gain: String, _ x: Int) -> Int {
    tensor(gain, .gain, width(x))
    tensor("\(gain).bias", .bias, width(x))
    return node(name, .layerNorm(gain: gain, bias: "\(gain).bias"), x)
  }

  /// A norm of each head by itself; with one head, of the whole vector.
  package mutating func normHeads(_ name: String, gain: String, _ x: Int, heads: Int, epsilon: Int) -> Int {
    tensor(gain, .gain, width(x) / heads)
    return node(name, .normHeads(heads: heads, gain: gain, epsilon: epsilon), x)
  }

  /// `name` = a projection of x, and `name_biased` where the configuration gives it a bias.
  ///
  /// - Parameters:
  ///   - layer: what names in this layer start with.
  ///   - name: q, k, v, o, gate, up or down.
  package mutating func projection(_ layer: String, _ name: String, _ projection: Projection, _ x: Int, width: Int)
    -> Int
  {
    let weight = "\(layer).\(projection.rawValue)"
    let product = linear("\(layer).\(name)", weight: weight, x, width: width)
    guard config.biases.contains(projection) else { return product }
    tensor("\(weight).bias", .bias, width)
    return node("\(layer).\(name)_biased", .addBias(bias: "\(weight).bias"), product)
  }
}
