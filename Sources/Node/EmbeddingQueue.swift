import Dispatch
import Inference
import ModelGraph
import Synchronization

/// Computes embeddings one request after another on a thread of its own, so that no task of the server
/// waits for arithmetic. The number of requests that wait is bounded.
final class EmbeddingQueue: Sendable {
  private let engine: Engine
  private let queue = DispatchQueue(label: "evident.embeddings")
  private let requestsMax: Int
  private let state = Mutex(State())

  private struct State {
    var requests = 0
    var isClosed = false
  }

  /// Inputs that are computed together; between two groups a client that went away is noticed.
  private static let inputsAtOnce = 16

  init(engine: Engine, requestsMax: Int) {
    self.engine = engine
    self.requestsMax = requestsMax
  }

  /// - Throws: ``AnswerRefusal`` before anything is computed, `CancellationError`, or what the engine throws.
  func vectors(of inputs: [[Int32]], dimensions: Int) async throws -> [EmbeddingVector] {
    try enter()
    defer { state.withLock { $0.requests -= 1 } }
    var vectors: [EmbeddingVector] = []
    for start in stride(from: 0, to: inputs.count, by: EmbeddingQueue.inputsAtOnce) {
      try Task.checkCancellation()
      let group = Array(inputs[start..<min(start + EmbeddingQueue.inputsAtOnce, inputs.count)])
      vectors += try await withCheckedThrowingContinuation { continuation in
        queue.async { [engine] in
          continuation.resume(with: Result { try engine.embeddings(of: group, dimensions: dimensions) })
        }
      }
    }
    return vectors
  }

  private func enter() throws(AnswerRefusal) {
    let refusal: AnswerRefusal? = state.withLock { state in
      if state.isClosed { return .shuttingDown }
      if state.requests >= requestsMax { return .queueFull }
      state.requests += 1
      return nil
    }
    if let refusal { throw refusal }
  }

  /// Refuses everything new; what is under way ends by itself.
  func close() { state.withLock { $0.isClosed = true } }

  var isIdle: Bool { state.withLock { $0.requests == 0 } }
}
