extension ReferenceInterpreter {
  /// One operator at consecutive positions, the first of which is `first`.
  ///
  /// - Parameter inputs: for each input of the node its values at these positions.
  func apply(
    _ node: GraphNode, _ tokens: [Int], _ inputs: [[Value]], _ state: inout State, _ first: Int
  ) -> [Value] {
    typealias Op = ReferenceOperators
    let config = image.manifest.config
    let fractionBits = config.residualFractionBits
    switch node.op {
    case .embed(let name, tied: true, let scale):
      let table = image.linear(name)
      return tokens.map { .residual(Op.embed($0, table, scale: scale, fractionBits: fractionBits)) }
    case .embed(let name, tied: false, let scale):
      let table = image.table16(name)
      return tokens.map { .residual(Op.embed($0, table, scale: scale, fractionBits: fractionBits)) }
    case .embedPosition(let name):
      let table = image.table16(name)
      return tokens.indices.map { .residual(Op.embed(first + $0, table, fractionBits: fractionBits)) }
    case .rmsNorm(let name):
      let gain = image.gain(name)
      return inputs[0].map { .act16(Op.rmsNorm($0.residual, gain, epsilon: config.normEpsilon)) }
    case .layerNorm(let name, let biasName):
      let (gain, bias) = (image.gain(name), image.bias(biasName))
      return inputs[0].map {
        .residual(Op.layerNorm($0.residual, gain, bias, epsilon: config.normEpsilon, fractionBits: fractionBits))
      }
    case .quantise:
      return inputs[0].map { .act16(Op.quantise($0.residual, fractionBits: fractionBits)) }
    case .linear(let name):
      return Op.linear(inputs[0].map(\.act16), image.linear(name)).map { .act32($0) }
    case .addBias(let name):
      let bias = image.bias(name)
      return inputs[0].map { .act32(Op.addBias($0.act32, bias)) }
    case .normHeads(let heads, let name, let epsilon):
      let gain = image.gain(name)
      return inputs[0].map {
        .act32(Op.normHeads($0.act32, heads: heads, gain, epsilon: epsilon, fractionBits: fractionBits))
      }
    case .rope(let heads, let table):
      let frequencies = image.manifest.frequencies(table)
      return inputs[0].enumerated().map { n, x in
        .act32(Op.rope(x.act32, heads: heads, position: first + n, frequencies: frequencies))
      }
    case .quantiseHeads(let heads, let limit):
      return inputs[0].map { .heads16(Op.quantiseHeads($0.act32, heads: heads, limit: limit)) }
    case .attention(let attention):
      return attend(attention, inputs, &state, first)
    case .mergeHeads:
      return inputs[0].map { .act16(Op.mergeHeads($0.heads32)) }
    case .gated(let activation):
      return zip(inputs[0], inputs[1]).map { .act16(Op.gated($0.act32, $1.act32, activation)) }
    case .activate(let activation):
      return inputs[0].map { .act16(Op.activate($0.act32, activation)) }
    case .add:
      return zip(inputs[0], inputs[1]).map { .residual(Op.add($0.residual, $1.act32, fractionBits: fractionBits)) }
    case .addResiduals:
      return zip(inputs[0], inputs[1]).map { .residual(Op.addResiduals($0.residual, $1.residual)) }
    case .route(let slots, let sharesOfAll):
      return inputs[0].map { .routes(Op.route($0.act32, slots: slots, sharesOfAll: sharesOfAll)) }
    case .expertLinear(let name, let experts):
      let weight = image.linear(name)
      return zip(inputs[0], inputs[1]).map {
        .act32(Op.expertLinear($0.act16, $1.routes, weight, experts: experts))
      }
    case .expertSum(let name, let experts):
      let weight = image.linear(name)
      return zip(inputs[0], inputs[1]).map { .act32(Op.expertSum($0.act16, $1.routes, weight, experts: experts)) }
    case .softcap(let cap):
      return inputs[0].map { .act32(Op.softcap($0.act32, cap: cap)) }
    }
  }

  /// Adds the positions to the cache and lets each of them look at what it sees.
  private func attend(_ a: Attention, _ inputs: [[Value]], _ state: inout State, _ first: Int) -> [Value] {
    for (k, v) in zip(inputs[1], inputs[2]) { state.caches[a.cache].append(keys: k.heads16, values: v.heads16) }
    let cache = state.caches[a.cache]
    return inputs[0].enumerated().map { n, queries in
      .heads32(
        ReferenceOperators.attention(
          queries.heads16, cache, visible: a.visible(from: first + n, count: cache.count),
          keyValueHeads: a.keyValueHeads, softcap: a.softcap))
    }
  }
}

// A graph is ours, not the manifest's: a value of another kind than the operator reads is our fault.
extension Value {
  private func wrongKind() -> Never { preconditionFailure("the graph feeds an operator a wrong kind") }

  var residual: Residual {
    guard case .residual(let v) = self else { wrongKind() }
    return v
  }
  var act16: Act16 {
    guard case .act16(let v) = self else { wrongKind() }
    return v
  }
  var act32: Act32 {
    guard case .act32(let v) = self else { wrongKind() }
    return v
  }
  var heads16: Heads16 {
    guard case .heads16(let v) = self else { wrongKind() }
    return v
  }
  var heads32: Heads32 {
    guard case .heads32(let v) = self else { wrongKind() }
    return v
  }
  var routes: Routes {
    guard case .routes(let v) = self else { wrongKind() }
    return v
  }
}
