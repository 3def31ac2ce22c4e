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
    let weights = CandidateWeights(temperatureMicros: parameters.temperatureMicros)
    // Candidates in the order of step 8 are ascending keys (distance from the largest logit, id). Those
    // without weight come after all others in that order and can neither be drawn nor shift a limit.
    var keys: [UInt64] = []
    keys.reserveCapacity(l.count)
    var total = 0
    for (id, value) in l.enumerated() where largest - value <= weights.distanceMax {
      keys.append(UInt64(largest - value) << 20 | UInt64(id))
      total += weights.weight(largest - value)
    }
    let isLimited = (parameters.topK > 0 && parameters.topK < keys.count) || parameters.topPMicros < 1_000_000
    if !isLimited {
      // Steps 8 and 9 keep everything, so step 10 needs no order, and only the draw itself sorts.
      if parameters.minPMicros > 0 {
        keys.removeAll { !passesMinP(weights.weight(distance($0))) }
        total = keys.reduce(0) { $0 + weights.weight(distance($1)) }
      }
      var ordered = OrderedCandidates(keys)
      return choose(u, total) { ordered.popFirst().map { ($0, weights.weight(distance($0))) } }
    }
    let kept = limited(OrderedCandidates(keys), total, weights).filter { passesMinP($0.weight) }
    var rest = kept[...]
    return choose(u, kept.reduce(0) { $0 + $1.weight }) { rest.popFirst() }
  }

  private typealias Candidate = (key: UInt64, weight: Int)

  private func distance(_ key: UInt64) -> Int { Int(key >> 20) }

  /// Steps 8 and 9.
  ///
  /// - Parameter total: the sum of all weights.
  private func limited(_ all: OrderedCandidates, _ total: Int, _ weights: CandidateWeights) -> [Candidate] {
    var ordered = all
    var kept: [Candidate] = []
    var total = total
    let isCut = parameters.topK > 0 && parameters.topK < all.count
    if isCut {
      while kept.count < parameters.topK, let key = ordered.popFirst() {
        kept.append((key, weights.weight(distance(key))))
      }
      total = kept.reduce(0) { $0 + $1.weight }
    }
    let wanted = UInt128(parameters.topPMicros) * UInt128(total)
    var sum = 0
    var count = 0
    while UInt128(sum) * 1_000_000 < wanted {
      if count == kept.count {
        // All of a cut list together reach the sum, so this is an uncut one.
        guard !isCut, let key = ordered.popFirst() else { break }
        kept.append((key, weights.weight(distance(key))))
      }
      sum += kept[count].weight
      count += 1
    }
    return Array(kept[..<count])
  }

  /// Step 10. The first candidate has distance 0, whatever the temperature.
  private func passesMinP(_ weight: Int) -> Bool {
    weight * 1_000_000 >= parameters.minPMicros * CandidateWeights.largest
  }

  /// Step 11.
  private func choose(_ u: UInt64, _ sum: Int, _ next: () -> Candidate?) -> Int32 {
    let r = u.multipliedFullWidth(by: UInt64(sum)).high
    var running = 0
    while let candidate = next() {
      running += candidate.weight
      if running > r { return Int32(candidate.key & ((1 << 20) - 1)) }
    }
    preconditionFailure("r is below the sum of the weights")
  }
}

/// Steps 6 and 7: the weight of a candidate from its distance to the largest logit.
private struct CandidateWeights {
  private let factor: Int
  private let exponential = Tables.exponential
  /// Beyond this distance the weight is 0: its integer part would be 41 with a fraction, or more.
  ///
  /// T(f) < 2^15 for f > 0 makes RS(T(f) · 2^25, 41) vanish, and T(0) = 2^15 makes it 1.
  let distanceMax: Int
  /// The weight at distance 0.
  static let largest = 1 << 40

  init(temperatureMicros: Int) {
    factor = 1_512_775 * 1_000_000 / temperatureMicros
    // RS(distance · K, 24) ≤ 41 · 4096. The cap of 2^30 is far beyond.
    distanceMax = (((41 * 4096 + 1) << 24) - (1 << 23) - 1) / factor
  }

  /// - Parameter distance: at most `distanceMax`.
  func weight(_ distance: Int) -> Int {
    let delta = Rounding.shiftedRight(distance * factor, by: 24)
    return Rounding.shiftedRight(Int(exponential[delta & 4095]) << 25, by: delta >> 12)
  }
}
