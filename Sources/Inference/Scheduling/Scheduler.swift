public import ModelGraph

/// Serves many requests on one engine: each step continues all active answers by one token and takes along
/// a part of the prompts that are waiting.
///
/// The tokens of an answer do not depend on what else is being served. One thread of its own runs the
/// engine; nothing here blocks Swift's cooperative pool.
public final class Scheduler: Sendable {
  public let options: SchedulerOptions
  private let loop: SchedulerLoop

  /// - Throws: ``EngineFailure/threadNotStarted(reason:)``.
  public convenience init(engine: Engine, options: SchedulerOptions = SchedulerOptions()) throws(EngineFailure) {
    try self.init(engine: engine, options: options, drafting: PromptLookup())
  }

  /// With another source of drafts.
  package init(engine: Engine, options: SchedulerOptions, drafting: any Drafting) throws(EngineFailure) {
    self.options = options
    let loop = SchedulerLoop(engine: engine, options: options, drafting: drafting)
    self.loop = loop
    _ = try EngineThread(detached: { loop.run() })
  }

  deinit { loop.close(cancelling: true) }

  /// Accepts a request or refuses it at once.
  ///
  /// - Parameters:
  ///   - parameters: `maxTokens` is cut to what the context has room for: contextLength - prompt.count.
  ///   - streamKey: may be nil only when the temperature is 0.
  ///   - endTokens: ids that end the answer.
  public func submit(
    prompt: [Int32], parameters: SamplingParameters, streamKey: StreamKey?, endTokens: [Int32]
  ) throws(GenerationRejection) -> Generation {
    let engine = loop.engine
    try Answer.check(engine.image, prompt: prompt, parameters: parameters, streamKey: streamKey)
    let limit = Answer.limit(engine.image, prompt: prompt, parameters)
    let cacheBytes = engine.cacheBytes(positions: prompt.count + limit)
    if let max = options.cacheBytesMax, cacheBytes > max { throw .cacheTooSmall(bytes: cacheBytes, max: max) }
    let (events, continuation) = AsyncThrowingStream<TokenEvent, any Error>.makeStream()
    let job = GenerationJob(
      prompt: prompt, parameters: parameters, streamKey: streamKey, endTokens: endTokens, cacheBytes: cacheBytes,
      continuation: continuation)
    let wake: @Sendable () -> Void = { [weak loop] in loop?.wake() }
    continuation.onTermination = { termination in
      guard case .cancelled = termination else { return }
      job.cancel()
      wake()
    }
    try loop.enqueue(job)
    return Generation(events: events, job: job, wake: wake)
  }

  /// Refuses new requests, finishes those that were accepted, then returns.
  public func drain() async {
    loop.close(cancelling: false)
    await loop.ended()
  }

  /// Refuses new requests, cancels those that were accepted, then returns.
  public func shutdown() async {
    loop.close(cancelling: true)
    await loop.ended()
  }

  public var metrics: SchedulerMetrics { loop.currentMetrics }
}
