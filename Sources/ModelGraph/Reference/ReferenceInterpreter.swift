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
  /// - Throws: ``EvaluationRejection``; the state is then unchanged. An encoder has no logits.
  public func evaluate(
    _ tokens: [Int32], state: inout State, logits: LogitsWanted = .last, trace: ((TraceRecord) -> Void)? = nil
  ) throws(EvaluationRejection) -> [Logits] {
    precondition(state.caches.count == image.graph.caches, "a state belongs to the model that made it")
    if image.manifest.config.isEncoder { throw .encodesOnly }
    try check(tokens, after: state.count)
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

  /// What an encoder makes of a whole sequence.
  ///
  /// - Returns: the last residual of each position; see ``Embedding``.
  /// - Throws: ``EvaluationRejection``, also for a decoder.
  public func encode(
    _ tokens: [Int32], trace: ((TraceRecord) -> Void)? = nil
  ) throws(EvaluationRejection) -> [Residual] {
    guard image.manifest.config.isEncoder else { throw .generatesOnly }
    if tokens.isEmpty { throw .noTokens }
    try check(tokens, after: 0)
    var state = makeState()
    // All positions see each other, so they go through the graph as one block.
    return run(tokens.map { Int($0) }, &state, 0, upTo: image.graph.nodes.count, trace)[image.graph.output]
      .map(\.residual)
  }

  private func check(_ tokens: [Int32], after count: Int) throws(EvaluationRejection) {
    let config = image.manifest.config
    for (i, token) in tokens.enumerated() where token < 0 || Int(token) >= config.vocabularySize {
      throw .tokenOutsideVocabulary(token, index: i, vocabularySize: config.vocabularySize)
    }
    guard tokens.count <= config.contextLength - count else {
      throw .contextExceeded(positions: count + tokens.count, contextLength: config.contextLength)
    }
  }

  private func evaluateBlock(
    _ tokens: [Int], _ state: inout State, _ wanted: Range<Int>, _ trace: ((TraceRecord) -> Void)?
  ) -> [Logits] {
    let first = state.count
    let graph = image.graph
    let values = run(tokens, &state, first, upTo: graph.logits, trace)
    state.count = first + tokens.count
    // Logits cost as much as several layers, so they are computed only where they are wanted.
    if wanted.isEmpty { return [] }
    var outputs: [Value] = []
    for (i, node) in graph.nodes.enumerated().dropFirst(graph.logits) {
      let input = i == graph.logits ? Array(values[node.inputs[0]][wanted]) : outputs
      outputs = apply(node, tokens, [input], &state, first + wanted.lowerBound)
      emit(node.name, outputs, first + wanted.lowerBound, trace)
    }
    return outputs.map {
      let logits = $0.act32
      return Logits(values: logits.t, exponent: logits.exponent)
    }
  }

  /// The nodes before `end` at consecutive positions, the first of which is `first`.
  ///
  /// - Returns: for each node its values; those that no later node reads may be gone.
  private func run(
    _ tokens: [Int], _ state: inout State, _ first: Int, upTo end: Int, _ trace: ((TraceRecord) -> Void)?
  ) -> [[Value]] {
    var values: [[Value]] = Array(repeating: [], count: image.graph.nodes.count)
    for (i, node) in image.graph.nodes[..<end].enumerated() {
      values[i] = apply(node, tokens, node.inputs.map { values[$0] }, &state, first)
      emit(node.name, values[i], first, trace)
      for input in node.inputs where lastReader[input] == i { values[input] = [] }
    }
    return values
  }

  private func emit(_ name: String, _ values: [Value], _ first: Int, _ trace: ((TraceRecord) -> Void)?) {
    guard let trace else { return }
    for (n, value) in values.enumerated() { trace(TraceRecord(name: name, position: first + n, value: value)) }
  }
}
