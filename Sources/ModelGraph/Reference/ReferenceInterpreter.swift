/// Runs a model's graph one operator after another: the meaning of a model.
///
/// A pure function of the image and the tokens: how the tokens are cut into calls changes nothing.
///
/// Source: docs/spec/arithmetic.md.
public struct ReferenceInterpreter: Sendable {
  /// Everything that a sequence needs to continue.
  public struct State: Sendable, Equatable {
    /// How many positions have been evaluated.
    public internal(set) var count = 0
    var caches: [KeyValueCache]

    /// Forgets all positions from `count` on.
    public mutating func truncate(to count: Int) {
      precondition(count >= 0 && count <= self.count, "only evaluated positions can be forgotten")
      self.count = count
      for i in caches.indices { caches[i].truncate(to: count) }
    }
  }

  public let image: ModelImage
  /// For each node, the last node that reads it: its values can go after that.
  private let lastReader: [Int]
  /// Positions that go through the graph together; bounds memory, changes no result.
  private static let blockLength = 32

  public init(image: ModelImage) {
    self.image = image
    var lastReader = Array(image.graph.nodes.indices)
    for (i, node) in image.graph.nodes.enumerated() {
      for input in node.inputs { lastReader[input] = i }
    }
    self.lastReader = lastReader
  }

  public func makeState() -> State {
    State(caches: Array(repeating: KeyValueCache(), count: image.graph.caches))
  }

  /// Appends `tokens` to the sequence.
  ///
  /// - Parameter trace: receives every named value, for each name in the order of positions.
  /// - Returns: logits of the wanted positions, in order.
  /// - Throws: ``EvaluationRejection``; the state is then unchanged.
  public func evaluate(
    _ tokens: [Int32], state: inout State, logits: LogitsWanted = .last, trace: ((TraceRecord) -> Void)? = nil
  ) throws(EvaluationRejection) -> [Logits] {
    let config = image.manifest.config
    precondition(state.caches.count == image.graph.caches, "a state belongs to the model that made it")
    for (i, token) in tokens.enumerated() where token < 0 || Int(token) >= config.vocabularySize {
      throw .tokenOutsideVocabulary(token, index: i, vocabularySize: config.vocabularySize)
    }
    guard tokens.count <= config.contextLength - state.count else {
      throw .contextExceeded(positions: state.count + tokens.count, contextLength: config.contextLength)
    }
    var results: [Logits] = []
    for start in stride(from: 0, to: tokens.count, by: ReferenceInterpreter.blockLength) {
      let end = min(start + ReferenceInterpreter.blockLength, tokens.count)
      let wanted: Range<Int> =
        switch logits {
        case .none: 0..<0
        case .last: end == tokens.count ? (end - start - 1)..<(end - start) : 0..<0
        case .all: 0..<(end - start)
        }
      results += evaluateBlock(tokens[start..<end].map { Int($0) }, &state, wanted, trace)
    }
    return results
  }

  private func evaluateBlock(
    _ tokens: [Int], _ state: inout State, _ wanted: Range<Int>, _ trace: ((TraceRecord) -> Void)?
  ) -> [Logits] {
    let first = state.count
    let graph = image.graph
    var values: [[Value]] = Array(repeating: [], count: graph.nodes.count)
    for (i, node) in graph.nodes.enumerated() where i != graph.output {
      values[i] = apply(node, tokens, node.inputs.map { values[$0] }, &state, first)
      emit(node.name, values[i], first, trace)
      for input in node.inputs where lastReader[input] == i { values[input] = [] }
    }
    state.count = first + tokens.count
    // Logits cost as much as several layers, so the last node runs only where they are wanted.
    if wanted.isEmpty { return [] }
    let node = graph.nodes[graph.output]
    let output = apply(node, tokens, node.inputs.map { Array(values[$0][wanted]) }, &state, first)
    emit(node.name, output, first + wanted.lowerBound, trace)
    return output.map {
      let logits = $0.act32
      return Logits(values: logits.t, exponent: logits.exponent)
    }
  }

  private func emit(_ name: String, _ values: [Value], _ first: Int, _ trace: ((TraceRecord) -> Void)?) {
    guard let trace else { return }
    for (n, value) in values.enumerated() { trace(TraceRecord(name: name, position: first + n, value: value)) }
  }

  /// One operator at consecutive positions, the first of which is `first`.
  ///
  /// - Parameter inputs: for each input of the node its values at these positions.
  private func apply(
    _ node: GraphNode, _ tokens: [Int], _ inputs: [[Value]], _ state: inout State, _ first: Int
  ) -> [Value] {
    typealias Op = ReferenceOperators
    let config = image.manifest.config
    let fractionBits = config.residualFractionBits
    switch node.op {
    case .embed(let table, tied: true, scale: nil):
      let table = image.linear8(table)
      return tokens.map { .residual(Op.embed($0, table, fractionBits: fractionBits)) }
    case .embed(let table, tied: false, scale: nil):
      let table = image.table16(table)
      return tokens.map { .residual(Op.embed($0, table, fractionBits: fractionBits)) }
    case .rmsNorm(let name):
      let gain = image.gain(name)
      return inputs[0].map { .act16(Op.rmsNorm($0.residual, gain, epsilon: config.normEpsilon)) }
    case .linear(let weight):
      return Op.linear(inputs[0].map(\.act16), image.linear8(weight)).map { .act32($0) }
    case .rope(_, .global):
      return inputs[0].enumerated().map { n, x in
        .act32(Op.rope(x.act32, position: first + n, frequencies: image.manifest.ropeFrequencies))
      }
    case .quantiseHeads(let heads, let limit):
      return inputs[0].map { .heads16(Op.quantiseHeads($0.act32, heads: heads, limit: limit)) }
    case .attention(let a) where a.causal && a.softcap == nil:
      return inputs[0].indices.map { n in
        state.caches[a.cache].append(keys: inputs[1][n].heads16, values: inputs[2][n].heads16)
        return .heads32(
          Op.attention(
            inputs[0][n].heads16, state.caches[a.cache], position: first + n, keyValueHeads: a.keyValueHeads,
            window: a.window))
      }
    case .mergeHeads:
      return inputs[0].map { .act16(Op.mergeHeads($0.heads32)) }
    case .gated(.silu):
      return zip(inputs[0], inputs[1]).map { .act16(Op.swiglu($0.act32, $1.act32)) }
    case .add:
      return zip(inputs[0], inputs[1]).map { .residual(Op.add($0.residual, $1.act32, fractionBits: fractionBits)) }
    case .embed, .embedPosition, .layerNorm, .quantise, .addBias, .normHeads, .rope, .attention, .gated, .activate,
      .addResiduals, .route, .expertLinear, .expertSum, .softcap:
      preconditionFailure("no registered architecture uses this operator")
    }
  }
}

// A graph is ours, not the manifest's: a value of another kind than the operator reads is our fault.
extension Value {
  fileprivate var residual: Residual {
    guard case .residual(let v) = self else { preconditionFailure("the graph feeds an operator a wrong kind") }
    return v
  }
  fileprivate var act16: Act16 {
    guard case .act16(let v) = self else { preconditionFailure("the graph feeds an operator a wrong kind") }
    return v
  }
  fileprivate var act32: Act32 {
    guard case .act32(let v) = self else { preconditionFailure("the graph feeds an operator a wrong kind") }
    return v
  }
  fileprivate var heads16: Heads16 {
    guard case .heads16(let v) = self else { preconditionFailure("the graph feeds an operator a wrong kind") }
    return v
  }
  fileprivate var heads32: Heads32 {
    guard case .heads32(let v) = self else { preconditionFailure("the graph feeds an operator a wrong kind") }
    return v
  }
}
