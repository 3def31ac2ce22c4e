import Digests
import Foundation
import Inference
import ModelGraph

func environment(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }

/// All logits of a sequence and the digests of everything on the way.
struct Evaluation: Equatable {
  var logits: [Logits] = []
  var residuals: [Residual] = []
  var digests: [String: Digest<Value>] = [:]

  static func reference(_ image: ModelImage, _ tokens: [Int32]) throws -> Evaluation {
    let interpreter = ReferenceInterpreter(image: image)
    var state = interpreter.makeState()
    var trace = TraceDigests()
    let logits = try interpreter.evaluate(tokens, state: &state, logits: .all) { trace.record($0) }
    return Evaluation(logits: logits, digests: trace.digests)
  }

  /// An encoder's; residuals take the place of logits.
  static func referenceEncoding(_ image: ModelImage, _ tokens: [Int32]) throws -> Evaluation {
    var trace = TraceDigests()
    let residuals = try ReferenceInterpreter(image: image).encode(tokens) { trace.record($0) }
    return Evaluation(residuals: residuals, digests: trace.digests)
  }

  static func encodings(_ engine: Engine, _ sequences: [[Int32]]) throws -> [Evaluation] {
    var traces = sequences.map { _ in TraceDigests() }
    var results = sequences.map { _ in Evaluation() }
    try engine.encode(sequences, trace: { traces[$0].record($1) }) { sequence, _, residual in
      results[sequence].residuals.append(Residual(residual.map { Int($0) }))
    }
    for i in results.indices { results[i].digests = traces[i].digests }
    return results
  }

  /// - Parameter step: tokens per call.
  static func alone(_ engine: Engine, _ tokens: [Int32], step: Int) throws -> Evaluation {
    let sequence = engine.makeSequence()
    var trace = TraceDigests()
    var result = Evaluation()
    for start in stride(from: 0, to: tokens.count, by: step) {
      let part = Array(tokens[start..<min(start + step, tokens.count)])
      result.logits += try engine.evaluate(
        [Slice(sequence: sequence, tokens: part, logits: .all)], trace: { trace.record($1) })[0]
    }
    result.digests = trace.digests
    return result
  }

  /// All sequences in one batch.
  static func together(_ engine: Engine, _ prompts: [[Int32]]) throws -> [Evaluation] {
    var traces = prompts.map { _ in TraceDigests() }
    let batch = prompts.map { Slice(sequence: engine.makeSequence(), tokens: $0, logits: .all) }
    let logits = try engine.evaluate(batch, trace: { traces[$0].record($1) })
    return zip(logits, traces).map { Evaluation(logits: $0, digests: $1.digests) }
  }
}

extension EngineOptions {
  /// Options with which threads share even the small models of these tests.
  static func sharing(threads: Int, kernels: KernelChoice = .automatic, prefillChunk: Int = 256) -> EngineOptions {
    var options = EngineOptions(threads: threads, kernels: kernels, prefillChunk: prefillChunk)
    options.multiplicationsToShare = 0
    return options
  }
}
