/// What happens to a request after it was accepted.
public enum TokenEvent: Sendable, Equatable {
  case token(Int32)
  /// The last event.
  case finished(FinishReason)
}

/// A request that a scheduler has accepted.
public struct Generation: Sendable {
  /// Tokens as they are chosen, then the reason for the end. To be iterated once.
  ///
  /// Cancelling the task that waits for it, or dropping this value, cancels the request.
  public let events: AsyncThrowingStream<TokenEvent, any Error>
  private let job: GenerationJob
  private let wake: @Sendable () -> Void

  init(events: AsyncThrowingStream<TokenEvent, any Error>, job: GenerationJob, wake: @escaping @Sendable () -> Void) {
    self.events = events
    self.job = job
    self.wake = wake
  }

  /// The tokens alone, in place of ``events``.
  public var tokens: AsyncCompactMapSequence<AsyncThrowingStream<TokenEvent, any Error>, Int32> {
    events.compactMap { event in
      if case .token(let id) = event { id } else { nil }
    }
  }

  /// Prompt tokens that were taken from earlier requests; final when the first token arrives.
  public var promptTokensReused: Int { job.tokensReused }

  /// Ends the request: nothing more is computed for it, and its events end with `.finished(.cancelled)`
  /// unless they had ended before. For a caller that has enough, too: one that found a stop string.
  public func cancel() {
    job.cancel()
    wake()
  }
}
