import Digests
import Foundation
import Inference
import ModelGraph
import Receipts
import Synchronization
import Tokenizers
import Verification

/// Everything about an answer that is fixed before its first token.
struct AnswerDraft: Sendable {
  let request: AnswerRequest
  /// As applied.
  let parameters: SamplingParameters
  let nonce: Statement.Nonce
  let inputTokens: [Int32]
  let time: String
  let receiptID: String
  let responseID: String
}

/// Turns tokens into text as they come, ends at a stop string, then signs and keeps the evidence.
struct AnswerTask: Sendable {
  let node: Node
  let draft: AnswerDraft

  /// - Throws: ``AnswerRefusal`` when the scheduler takes no more.
  func start(created: Int) throws(AnswerRefusal) -> RunningAnswer {
    let streamKey = StreamKey(
      model: node.model.digest, inputTokens: draft.inputTokens, parameters: draft.parameters, nonce: draft.nonce.value)
    let generation: Generation
    do {
      generation = try node.scheduler.submit(
        prompt: draft.inputTokens, parameters: draft.parameters, streamKey: streamKey,
        endTokens: node.model.manifest.tokens.endOfSequence)
    } catch {
      throw AnswerRefusal(error)
    }
    let (events, continuation) = AsyncStream<AnswerEvent>.makeStream()
    let clientLeft = Flag()
    node.counters.withLock { $0.unfinished += 1 }
    // Not a child of the caller's task: when the caller goes away the evidence is still made and kept.
    Task.detached {
      let ended = await run(generation, clientLeft, continuation)
      continuation.yield(ended)
      continuation.finish()
      node.counters.withLock { $0.unfinished -= 1 }
    }
    return RunningAnswer(
      receiptID: draft.receiptID, responseID: draft.responseID, created: created, events: events,
      cancel: {
        clientLeft.raise()
        generation.cancel()
      })
  }

  /// - Returns: the event that ends the answer.
  private func run(
    _ generation: Generation, _ clientLeft: Flag, _ out: AsyncStream<AnswerEvent>.Continuation
  ) async -> AnswerEvent {
    guard let salt = Salt(Node.randomBytes(32)) else { preconditionFailure("32 bytes were drawn") }
    var stream = draft.request.checkpointEvery.map {
      node.signer.stream(salt: salt, receiptID: draft.receiptID, every: $0)
    }
    var tokens: [Int32] = []
    var delivered = DeliveredTokens()
    /// Those that the stream's signer has.
    var settled = 0
    var decoder = node.model.text.streamingDecoder()
    var matcher = StopMatcher(stops: draft.parameters.stop)
    var finish: Finish?
    do {
      for try await token in generation.tokens {
        tokens.append(token)
        if node.model.text.isEndOfSequence(token) {
          finish = .endOfSequence
        } else {
          let decoded = Array(decoder.push(token).utf8)
          let piece = matcher.feed(decoded)
          var checkpoint: StreamCheckpoint?
          if stream != nil {
            stream?.append(text: piece)
            delivered.decoded(bytes: decoded.count, tokens: decoder.settledTokens, heldBytes: matcher.heldBytes)
            stream?.append(tokens: tokens[settled..<delivered.count])
            settled = delivered.count
            if !piece.isEmpty && stream?.isDue == true { checkpoint = stream?.checkpoint() }
          }
          emit(piece, checkpoint, out)
          if matcher.matched {
            finish = .stopString
          } else if tokens.count == draft.parameters.maxTokens {
            finish = .tokenLimit
          }
        }
        if finish != nil { break }
      }
    } catch {
      // What was delivered still gets its evidence.
      _ = await conclude(tokens, .nodeCancelled, generation, salt, nil)
      return .failed("the engine failed: \(error)")
    }
    generation.cancel()
    let rest = matcher.feed(Array(decoder.finish().utf8)) + matcher.flush()
    emit(rest, nil, out)
    stream?.append(text: rest)
    stream?.append(tokens: tokens[settled...])
    return await conclude(
      tokens, finish ?? (clientLeft.isRaised ? .clientCancelled : .nodeCancelled), generation, salt,
      stream?.checkpoint())
  }

  private func emit(
    _ bytes: [UInt8], _ checkpoint: StreamCheckpoint?, _ out: AsyncStream<AnswerEvent>.Continuation
  ) {
    if !bytes.isEmpty { out.yield(.text(String(decoding: bytes, as: UTF8.self), checkpoint)) }
  }

  /// Signs and keeps.
  private func conclude(
    _ tokens: [Int32], _ finish: Finish, _ generation: Generation, _ salt: Salt, _ checkpoint: StreamCheckpoint?
  ) async -> AnswerEvent {
    let start = ContinuousClock.now
    let text = node.model.text.answer(tokens, stops: finish == .stopString ? draft.parameters.stop : [])
    let record = AnswerRecord(
      receiptID: draft.receiptID, responseID: draft.responseID, model: node.model.digest,
      requestedName: draft.request.model, request: draft.request.request, inputTokens: draft.inputTokens,
      parameters: draft.parameters, nonce: draft.nonce, outputTokens: tokens, text: text, finish: finish,
      deliveredTokens: tokens.count, software: Node.software, time: draft.time,
      promise: node.promise?.given(at: Date()))
    do {
      let (receipt, opening) = try node.signer.sign(record, salt: salt)
      let evidence = EvidenceFile(
        receipt: receipt.envelope, opening: .answer(opening), model: node.model.manifestJSON, keys: node.keyHistory)
      let answer = FinishedAnswer(
        text: text, finishReason: finish.reason, promptTokens: draft.inputTokens.count,
        promptTokensReused: generation.promptTokensReused, outputTokens: tokens.count,
        checkpoint: checkpoint, signed: SignedEvidence(receipt: receipt, evidence: try evidence.bytes()))
      try await node.keep(answer.signed)
      node.counters.withLock {
        $0.evidenceMicroseconds += Int(start.duration(to: .now) / .microseconds(1))
        $0.promptTokens += draft.inputTokens.count
        $0.outputTokens += tokens.count
        $0.answersByReason[finish.reason, default: 0] += 1
      }
      return .finished(answer)
    } catch {
      return .failed("the receipt could not be made and kept: \(error)")
    }
  }
}

/// Raised once, from anywhere.
private final class Flag: Sendable {
  private let raised = Atomic(false)
  func raise() { raised.store(true, ordering: .relaxed) }
  var isRaised: Bool { raised.load(ordering: .relaxed) }
}
