import Inference
import ModelFiles
import ModelGraph

/// Times evaluations of one engine.
struct EngineBench {
  let engine: Engine

  private var vocabulary: Int { engine.image.manifest.config.vocabularySize }

  private func tokens(_ count: Int) -> [Int32] { (0..<count).map { Int32(($0 * 7919 + 13) % vocabulary) } }

  private func seconds(_ body: () -> Void) -> Double {
    let duration = ContinuousClock().measure(body)
    return Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
  }

  private func evaluate(_ sequence: SequenceState, _ tokens: [Int32], _ wanted: LogitsWanted) {
    evaluate([Slice(sequence: sequence, tokens: tokens, logits: wanted)])
  }

  private func evaluate(_ slices: [Slice]) {
    do { try engine.evaluate(slices) { _, _, _ in } } catch {
      preconditionFailure("tokens and lengths were checked: \(error)")
    }
  }

  func warmUp() { evaluate(engine.makeSequence(), tokens(32), .last) }

  func prefill(_ count: Int) -> Double {
    let sequence = engine.makeSequence()
    let prompt = tokens(count)
    return Double(count) / seconds { evaluate(sequence, prompt, .last) }
  }

  func decode(at position: Int, count: Int) -> Double {
    let sequence = engine.makeSequence()
    evaluate(sequence, tokens(position), .last)
    // The same request each time: what is allocated for a token is then the engine's own doing.
    let step = [Slice(sequence: sequence, tokens: tokens(1), logits: .last)]
    return Double(count) / seconds { for _ in 0..<count { evaluate(step) } }
  }

  func profileOfDecoding(at position: Int, count: Int) -> StepProfile {
    let sequence = engine.makeSequence()
    evaluate(sequence, tokens(position), .last)
    return engine.profile { for token in tokens(count) { evaluate(sequence, [token], .last) } }
  }

  /// What tokens are chosen with.
  static func choices() throws -> [(String, SamplingParameters)] {
    [
      ("greedy", try SamplingParameters(maxTokens: 1)),
      ("temperature 1", try SamplingParameters(temperatureMicros: 1_000_000, maxTokens: 1)),
      ("top-p 0.9", try SamplingParameters(temperatureMicros: 1_000_000, topPMicros: 900_000, maxTokens: 1)),
    ]
  }

  /// Microseconds that choosing one token takes.
  func choosing(_ parameters: SamplingParameters, count: Int) -> Double {
    var found: Logits?
    do {
      let slice = Slice(sequence: engine.makeSequence(), tokens: tokens(32), logits: .last)
      try engine.evaluate([slice]) { _, _, row in found = row.logits }
    } catch {
      preconditionFailure("tokens and lengths were checked: \(error)")
    }
    guard let logits = found else { preconditionFailure("the last position has logits") }
    let key = StreamKey(
      model: engine.image.manifest.digest, inputTokens: tokens(32), parameters: parameters, nonce: [])
    let sampler = Sampler(parameters: parameters, streamKey: key)
    var state = SamplerState(prompt: tokens(32))
    return seconds { for _ in 0..<count { state.append(sampler.next(logits: logits, state: state)) } } / Double(count)
      * 1e6
  }

  /// A step that verifies a draft, relative to one without, in turns.
  func draftCost(_ count: Int, at position: Int, steps: Int) -> Double {
    let sequence = engine.makeSequence()
    evaluate(sequence, tokens(position), .last)
    let (one, several) = (tokens(1), tokens(1 + count))
    var (plain, drafted) = (0.0, 0.0)
    for _ in 0..<steps {
      plain += seconds { evaluate(sequence, one, .last) }
      sequence.truncate(to: position)
      drafted += seconds { evaluate(sequence, several, .all) }
      sequence.truncate(to: position)
    }
    return drafted / plain
  }

  /// Recomputing an answer in one teacher-forced prefill, relative to producing it token by token.
  func replayShare(prompt: Int, answer: Int) -> Double {
    let all = tokens(prompt + answer)
    let produced = engine.makeSequence()
    let producing = seconds {
      evaluate(produced, Array(all[..<prompt]), .last)
      for token in all[prompt..<(prompt + answer - 1)] { evaluate(produced, [token], .last) }
    }
    let replayed = engine.makeSequence()
    let replaying = seconds {
      evaluate(replayed, Array(all[..<(prompt - 1)]), .none)
      evaluate(replayed, Array(all[(prompt - 1)..<(prompt + answer - 1)]), .all)
    }
    return replaying / producing
  }
}
