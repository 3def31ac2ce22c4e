import Digests
import Foundation
import Inference
import ModelFiles
import ModelGraph
import Node
import Receipts
import Server
import Verification

/// A node inside this process, for one conversation on a terminal.
struct RunSession {
  let modelName: String
  private let node: Node
  private let parameters: SamplingParameters
  private let nonce: [UInt8]?
  private let evidencePath: String?
  private let streamPath: String?
  private let replay: Bool
  private let json: Bool

  init(
    store: ModelStore, settings: Settings, modelName: String, engine: EngineOptions, parameters: SamplingParameters,
    nonce: [UInt8]?, evidencePath: String?, streamPath: String?, replay: Bool, json: Bool
  ) throws {
    self.modelName = modelName
    self.parameters = parameters
    self.nonce = nonce
    self.evidencePath = evidencePath
    self.streamPath = streamPath
    self.replay = replay
    self.json = json
    let model = try Waiting.during("loading \(modelName)") {
      // The digests matter to a replay alone.
      try ServedModel(name: modelName, model: store.open(modelName, checkingDigests: replay), options: engine)
    }
    let key = try NodeKey.loadOrCreate(path: settings.nodeKeyFile)
    node = try Node(model: model, key: key.signing, scheduling: SchedulerOptions(queueMax: 1), keep: { _ in })
    node.keyHistory = try KeyHistoryFolder(path: settings.keyHistoryFolder).logged()
  }

  /// Prints the answer as it comes, then the badge of its verdict.
  @discardableResult
  func answer(_ messages: [Request.Message]) async throws -> String {
    let request = AnswerRequest(
      request: node.model.text.hasChatTemplate
        ? .chat(messages) : .completion(prompt: messages.map(\.content).joined(separator: "\n")),
      model: modelName, parameters: parameters, nonce: nonce, checkpointEvery: StreamSigner.everyDefault)
    let saved = try streamPath.map(StreamFile.init)
    let running = try node.answer(request)
    let (finished, stream) = try await withTaskCancellationHandler {
      try await follow(running, saved)
    } onCancel: {
      running.cancel()
    }
    let verdict = verify(finished)
    if let evidencePath { try RunSession.write(finished.evidence, to: evidencePath) }
    report(finished, running, verdict, stream)
    guard verdict.exitStatus == 0 else {
      throw CommandFailure("the answer did not verify", exitCode: verdict.exitStatus)
    }
    return finished.text
  }

  /// Checks what the node signs of the stream as it arrives.
  private func follow(
    _ running: RunningAnswer, _ saved: StreamFile?
  ) async throws -> (FinishedAnswer, StreamVerifier) {
    let events = AnswerStream(running, model: modelName, isChat: node.model.text.hasChatTemplate)
    try saved?.append(events.opening)
    var stream = StreamVerifier(keys: [node.publicKey], receiptID: running.receiptID)
    func check(_ checkpoint: StreamCheckpoint?) throws {
      guard let checkpoint else { return }
      do { try stream.check(checkpoint) } catch {
        throw CommandFailure("the stream does not verify: \(error)", exitCode: 1)
      }
    }
    for await event in running.events {
      try saved?.append(events.events(of: event))
      switch event {
      case .text(let piece, let checkpoint):
        if !json { Terminal.write(piece) }
        stream.append(piece)
        try check(checkpoint)
      case .finished(let finished):
        if !json { Terminal.write("\n") }
        try check(finished.checkpoint)
        return (finished, stream)
      case .failed(let message): throw CommandFailure(message)
      }
    }
    throw CommandFailure("the answer ended without a result")
  }

  private func verify(_ finished: FinishedAnswer) -> Verdict {
    var options = VerifierOptions()
    options.replay = replay
    options.models = OneModel(node.model)
    return Waiting.during("verifying") { Verifier(options).verify(finished.evidence) }
  }

  private func report(
    _ finished: FinishedAnswer, _ running: RunningAnswer, _ verdict: Verdict, _ stream: StreamVerifier
  ) {
    if json {
      print(
        ([
          "text": .string(finished.text), "finishReason": .string(finished.finishReason),
          "receiptID": .string(running.receiptID), "promptTokens": .integer(finished.promptTokens),
          "outputTokens": .integer(finished.outputTokens),
          "streamCheckpoints": .integer(stream.checkpoints), "streamTokens": .integer(stream.signedTokens),
          "verdict": verdict.json,
        ] as JSON).text())
      return
    }
    let levels = replay ? "signed, replayed" : "signed"
    Terminal.note(
      verdict.exitStatus == 0
        ? Terminal.green("✔ verified: \(levels)")
          + Terminal.dim(
            "  \(running.receiptID), \(stream.signedTokens) tokens checked as they came")
        : Terminal.red("✘ not verified") + "\n" + verdict.text(color: Terminal.usesColor(Terminal.isErrorInteractive)))
  }

  /// Appears whole or not at all.
  private static func write(_ bytes: [UInt8], to path: String) throws {
    do { try DurableFile.write(bytes, to: path) } catch {
      throw CommandFailure(
        "the evidence file \(path) cannot be written: \(String(cString: strerror(error.code.rawValue)))",
        hint: "choose a folder that exists and that you may write to")
    }
  }
}
