import Digests
import ModelGraph
import Receipts
import Verification

/// Answers with the tiny model as a node would, and signs.
struct TinyNode: Sendable {
  let model = TinyModel.shared
  var key = NodeSigningKey(seed: Array(repeating: 7, count: 32))!
  let salt = Salt(Array(0..<32))!
  static let time = "2026-01-31T23:59:59Z"
  static let clientNonce = Statement.Nonce(source: .client, value: Array(repeating: 0xC1, count: 32))

  static let chat = Request.chat([
    .init(role: "system", content: "Be brief."), .init(role: "user", content: "What is Evident?"),
  ])

  /// The record of an honest answer.
  ///
  /// - Parameter cut: cancel after this many delivered tokens, with one more generated.
  func answer(
    _ parameters: SamplingParameters, to request: Request = TinyNode.chat,
    nonce: Statement.Nonce = TinyNode.clientNonce, cut: Int? = nil
  ) throws -> AnswerRecord {
    let input = try TinyRenderer().inputTokens(for: request, time: TinyNode.time)
    let sampler = Sampler(
      parameters: parameters,
      streamKey: StreamKey(model: model.digest, inputTokens: input, parameters: parameters, nonce: nonce.value))
    let interpreter = ReferenceInterpreter(image: model.image)
    var state = interpreter.makeState()
    var sampling = SamplerState(prompt: input)
    var logits = try interpreter.evaluate(input, state: &state)[0]
    var output: [Int32] = []
    var finish: Finish?
    var text: [UInt8] = []
    while finish == nil {
      let token = sampler.next(logits: logits, state: sampling)
      output.append(token)
      sampling.append(token)
      text = try TinyRenderer().bytes(of: output[...])
      let stopAt = text.indices.first { i in parameters.stop.contains { text[i...].starts(with: $0.utf8) } }
      if token == TinyModel.endOfSequence {
        finish = .endOfSequence
      } else if let stopAt {
        text.removeSubrange(stopAt...)
        finish = .stopString
      } else if let cut, output.count > cut {
        text = try TinyRenderer().bytes(of: output[..<cut])
        finish = .clientCancelled
      } else if output.count == parameters.maxTokens {
        finish = .tokenLimit
      } else {
        logits = try interpreter.evaluate([token], state: &state)[0]
      }
    }
    return AnswerRecord(
      receiptID: "rcpt_0123456789abcdef", responseID: "chatcmpl-0123456789", model: model.digest,
      requestedName: "tiny", request: request, inputTokens: input, parameters: parameters, nonce: nonce,
      outputTokens: output, text: String(decoding: text, as: UTF8.self), finish: finish!,
      deliveredTokens: cut.map { min($0, output.count) } ?? output.count, software: "evident 0.1.0",
      time: TinyNode.time, promise: TinyLog.promise)
  }

  func file(_ record: AnswerRecord) throws -> EvidenceFile {
    let signed = try ReceiptSigner(key: key).sign(record, salt: salt)
    return EvidenceFile(
      receipt: signed.receipt.envelope, opening: .answer(signed.opening),
      model: try JSON.parse(model.manifest.canonicalBytes))
  }

  /// What a careful client asks of the verifier.
  func options(replay: Bool = true) -> VerifierOptions {
    var options = VerifierOptions()
    options.replay = replay
    options.policy = TinyLog.policy
    options.models = TinyLibrary(model: model)
    return options
  }
}

extension SamplingParameters {
  /// Every parameter does something; the model cannot end the answer itself.
  static let busy = try! SamplingParameters(
    temperatureMicros: 1_300_000, topK: 50, topPMicros: 980_000, minPMicros: 1_000, repetitionPenaltyMicros: 1_050_000,
    frequencyPenaltyMicros: 100_000, presencePenaltyMicros: 50_000,
    logitBias: [.init(token: 0, micros: -100_000_000), .init(token: 9, micros: 500_000)], seed: 17, maxTokens: 24,
    stop: ["never said", "###"])
}

extension Verdict {
  /// Every failed check with the name of its refutation; a malformed part with its full sentence.
  var failures: [String] {
    checks.compactMap { result in
      guard case .fail(let refutation) = result.outcome else { return nil }
      if case .malformed(let rejection) = refutation { return "\(result.check.rawValue): \(rejection)" }
      let label =
        switch refutation {
        // Cases without values have no label to ask for.
        case .requestNotExpected: "requestNotExpected"
        case .textNotExpected: "textNotExpected"
        case .openingOfAnotherKind: "openingOfAnotherKind"
        case .vectorsNotExpected: "vectorsNotExpected"
        case .notAnEncoder: "notAnEncoder"
        case .noStopStrings: "noStopStrings"
        case .stopStringMissing: "stopStringMissing"
        default: Mirror(reflecting: refutation).children.first?.label ?? ""
        }
      return "\(result.check.rawValue).\(label)"
    }
  }

  func outcome(of check: CheckName) -> CheckOutcome { checks.first { $0.check == check }!.outcome }
}

extension CheckName {
  /// Those of answers, in order.
  static let ofAnswers = allCases.filter { $0 != .vectors }
  /// Those that ask about the public log.
  static let ofLog: Set<CheckName> = [.inclusion, .logSignature, .witnessQuorum, .logTime, .promise, .keyHistory]
  /// Those of embeddings, in order.
  static let ofEmbeddings: [CheckName] = [
    .fileStructure, .statementStructure, .canonicalPayload, .signature, .keyBinding, .subjectBinding, .usageCounts,
    .modelManifest, .parameters, .promptCommitment, .inputTokens, .vectors, .inclusion, .logSignature, .witnessQuorum,
    .logTime, .promise, .keyHistory, .rendering, .replay,
  ]
}
