import ModelGraph
import Receipts

/// The model, run here over prompt and answer, chooses every output token itself.
///
/// Soundness: no tolerance. The logits after each prefix are recomputed exactly, and the sampler,
/// which is part of the trusted closure, is run again on them with the stated parameters, seed and
/// nonce. One token that differs refutes the answer.
enum ReplayCheck: Check {
  static let name = CheckName.replay

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    guard evidence.options.replay else { throw .notAsked }
    let statement = try evidence.statement()
    let opening = try evidence.opening()
    let config = try evidence.manifest().config
    let model = statement.model.manifest
    guard let recomputation = evidence.options.models.recomputation(for: model) else { throw .modelNotHere }
    // What runs the model may rely on these.
    let all = opening.inputTokens + opening.outputTokens
    guard !opening.inputTokens.isEmpty, all.allSatisfy({ $0 >= 0 && Int($0) < config.vocabularySize }) else {
      throw .contradicted(.inputTokens)
    }
    guard all.count <= config.contextLength else { throw .contradicted(.parameters) }
    if opening.outputTokens.isEmpty { return .pass("there are no output tokens to recompute") }

    var sampling = Sampling(statement, opening, vocabularySize: config.vocabularySize)
    let first = opening.inputTokens.count - 1
    do {
      try recomputation.logits(for: Array(all.dropLast()), from: first) { position, logits in
        sampling.compare(index: position - first, logits)
      }
    } catch {
      throw .computationFailed(by: recomputation.description, message: "\(error)")
    }
    return try sampling.outcome(by: recomputation.description)
  }
}

/// The sampler run along an answer that is already known.
private struct Sampling {
  private let stated: [Int32]
  private let vocabularySize: Int
  private let sampler: Sampler
  private var state: SamplerState
  private var refutation: Refutation?
  /// What was handed over made no sense.
  private var isBroken = false

  init(_ statement: Statement, _ opening: Opening, vocabularySize: Int) {
    stated = opening.outputTokens
    self.vocabularySize = vocabularySize
    sampler = Sampler(
      parameters: statement.parameters,
      streamKey: StreamKey(
        model: statement.model.manifest, inputTokens: opening.inputTokens, parameters: statement.parameters,
        nonce: statement.nonce.value))
    state = SamplerState(prompt: opening.inputTokens)
  }

  /// - Returns: whether to go on.
  mutating func compare(index: Int, _ logits: Logits) -> Bool {
    guard refutation == nil, index == state.outputCount, index < stated.count, logits.values.count == vocabularySize
    else {
      isBroken = refutation == nil
      return false
    }
    let token = sampler.next(logits: logits, state: state)
    guard token == stated[index] else {
      refutation = .tokenDiffers(index: index, stated: stated[index], recomputed: token)
      return false
    }
    state.append(token)
    return true
  }

  func outcome(by what: String) throws(SkipReason) -> CheckOutcome {
    if let refutation { return .fail(refutation) }
    guard !isBroken && state.outputCount == stated.count else {
      throw .computationFailed(by: what, message: "it handed over \(state.outputCount) of \(stated.count) positions")
    }
    return .pass("all \(stated.count) output tokens were recomputed here, bit for bit, by \(what)")
  }
}
