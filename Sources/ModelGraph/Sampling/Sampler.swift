/// Chooses the next token from logits: a pure function of its arguments.
///
/// Source: docs/spec/arithmetic.md, section 7. The steps below carry its numbers.
public struct Sampler: Sendable {
  public let parameters: SamplingParameters
  private let streamKey: StreamKey?

  /// - Parameter streamKey: may be nil only when the temperature is 0.
  public init(parameters: SamplingParameters, streamKey: StreamKey?) {
    precondition(parameters.temperatureMicros == 0 || streamKey != nil, "random choice needs a stream key")
    self.parameters = parameters
    self.streamKey = streamKey
  }

  /// The next token after `prompt` and `output`. For a whole answer, keep a ``SamplerState`` instead.
  public func next(logits: Logits, prompt: [Int32], output: [Int32]) -> Int32 {
    var state = SamplerState(prompt: prompt)
    for id in output { state.append(id) }
    return next(logits: logits, state: state)
  }

  /// The next token. The caller appends the token that follows, this one or a recorded one, to `state`.
  public func next(logits: Logits, state: SamplerState) -> Int32 {
    next(logits: logits, state: state) { streamKey?.draw(position: state.outputCount) ?? 0 }
  }

  /// The next token for given random bits, which are asked for only when they are needed.
  package func next(logits: Logits, state: SamplerState, randomBits: () -> UInt64) -> Int32 {
    precondition(!logits.values.isEmpty && logits.values.count <= Bounds.vocabularyMax, "logits of a checked model")
    let l = adjusted(logits, state)
    var best = 0
    for j in l.indices where l[j] > l[best] { best = j }
    // 5
    if parameters.temperatureMicros == 0 { return Int32(best) }
    return draw(l, largest: l[best], randomBits())
  }

  /// Steps 1 to 4: logits in units of 2^-16 after bias and penalties. Ids outside the vocabulary count
  /// for nothing.
  private func adjusted(_ logits: Logits, _ state: SamplerState) -> [Int] {
    let shift = logits.exponent + 16
    var l = logits.values.map { Rounding.scaled(Int($0), byPowerOfTwo: shift, limit: 1 << 36) }
    for bias in parameters.logitBias where l.indices.contains(Int(bias.token)) {
      l[Int(bias.token)] += Rounding.divided(bias.micros * 65536, by: 1_000_000)
    }
    let repetition = parameters.repetitionPenaltyMicros
    let presence = Rounding.divided(parameters.presencePenaltyMicros * 65536, by: 1_000_000)
    for (id, count) in state.seen where l.indices.contains(Int(id)) {
      var value = l[Int(id)]
      value =
        value > 0
        ? Rounding.divided(value * 1_000_000, by: repetition) : Rounding.divided(value * repetition, by: 1_000_000)
      if count > 0 {
        value -= Rounding.divided(count * parameters.frequencyPenaltyMicros * 65536, by: 1_000_000) + presence
      }
      l[Int(id)] = value
    }
    return l
  }

  /// Steps 6 to 11.
  private func draw(_ l: [Int], largest: Int, _ u: UInt64) -> Int32 {
    let candidates = Candidates(l, largest: largest, temperatureMicros: parameters.temperatureMicros)
    // Each keeps a beginning of the same order, so that together they keep the shortest.
    var kept = candidates.all
    if parameters.topK > 0 && parameters.topK < kept.count { kept = candidates.first(parameters.topK) }
    if parameters.topPMicros < 1_000_000 {
      kept = candidates.reaching(micros: parameters.topPMicros, of: kept)
    }
    if parameters.minPMicros > 0 {
      let weighty = candidates.weighing(atLeastMicros: parameters.minPMicros)
      if weighty.count < kept.count { kept = weighty }
    }
    return candidates.id(exceeding: Int(u.multipliedFullWidth(by: UInt64(kept.sum)).high))
  }
}
