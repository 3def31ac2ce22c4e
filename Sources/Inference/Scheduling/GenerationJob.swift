import ModelGraph
import Synchronization

/// An accepted request on its way through the scheduler.
final class GenerationJob: Sendable {
  let prompt: [Int32]
  let parameters: SamplingParameters
  let streamKey: StreamKey?
  let endTokens: [Int32]
  /// What its keys and values may come to need.
  let cacheBytes: Int
  let continuation: AsyncThrowingStream<TokenEvent, any Error>.Continuation
  private let cancelled = Atomic<Bool>(false)
  private let reused = Atomic<Int>(0)

  init(
    prompt: [Int32], parameters: SamplingParameters, streamKey: StreamKey?, endTokens: [Int32], cacheBytes: Int,
    continuation: AsyncThrowingStream<TokenEvent, any Error>.Continuation
  ) {
    self.prompt = prompt
    self.parameters = parameters
    self.streamKey = streamKey
    self.endTokens = endTokens
    self.cacheBytes = cacheBytes
    self.continuation = continuation
  }

  var isCancelled: Bool { cancelled.load(ordering: .acquiring) }
  func cancel() { cancelled.store(true, ordering: .releasing) }

  /// Prompt tokens that were not evaluated because their pages were kept.
  var tokensReused: Int { reused.load(ordering: .acquiring) }
  func addReused(_ count: Int) { reused.wrappingAdd(count, ordering: .acquiringAndReleasing) }

  func finish(_ reason: FinishReason) {
    continuation.yield(.finished(reason))
    continuation.finish()
  }
}
