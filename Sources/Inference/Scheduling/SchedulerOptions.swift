/// Limits of a scheduler. Every queue has one.
public struct SchedulerOptions: Sendable, Equatable {
  /// Answers that share a step.
  public var activeMax: Int
  /// Requests that wait for one of those places.
  public var queueMax: Int
  /// Prompt tokens that a step takes along while answers are being decoded; bounds their delay.
  public var prefillRowsPerStep: Int
  /// Bytes of keys and values that the active answers may come to need; nil for no limit.
  /// Kept pages that no active answer uses count, too, and make room when they are in the way.
  public var cacheBytesMax: Int?
  /// Bytes of keys and values that are kept for prompts that begin alike; 0 keeps none.
  ///
  /// Whoever measures the time to the first token can learn whether a beginning was asked before.
  public var prefixCacheBytesMax: Int

  /// The most tokens of an answer that are guessed ahead and confirmed in one step; 0 guesses none.
  public var draftTokensMax: Int
  /// Rows that a step may have with its drafts. Up to about so many the weights are what a step waits for.
  public var draftRowsPerStep: Int

  public static let prefixCacheBytesDefault = 256 << 20
  public static let draftTokensDefault = 7

  public init(
    activeMax: Int = 16, queueMax: Int = 64, prefillRowsPerStep: Int = 128, cacheBytesMax: Int? = nil,
    prefixCacheBytesMax: Int = SchedulerOptions.prefixCacheBytesDefault,
    draftTokensMax: Int = SchedulerOptions.draftTokensDefault, draftRowsPerStep: Int = 8
  ) {
    precondition(activeMax >= 1 && queueMax >= 0 && prefillRowsPerStep >= 1, "limits are positive")
    precondition(prefixCacheBytesMax >= 0 && draftTokensMax >= 0 && draftRowsPerStep >= 0, "limits are positive")
    self.activeMax = activeMax
    self.queueMax = queueMax
    self.prefillRowsPerStep = prefillRowsPerStep
    self.cacheBytesMax = cacheBytesMax
    self.prefixCacheBytesMax = prefixCacheBytesMax
    self.draftTokensMax = draftTokensMax
    self.draftRowsPerStep = draftRowsPerStep
  }
}

/// What a scheduler has done and is doing.
public struct SchedulerMetrics: Sendable, Equatable {
  /// Now.
  public internal(set) var queued = 0
  public internal(set) var active = 0
  public internal(set) var cacheBytes = 0
  /// Of which the pages kept for prompts that begin alike.
  public internal(set) var prefixBytes = 0
  /// Rows of the last step.
  public internal(set) var lastBatch = 0

  /// Since the start.
  public internal(set) var submitted = 0
  public internal(set) var refusedQueueFull = 0
  public internal(set) var finished: [FinishReason: Int] = [:]
  public internal(set) var failed = 0
  /// Prompt tokens evaluated.
  public internal(set) var tokensIn = 0
  /// Prompt tokens that were not evaluated because their pages were kept.
  public internal(set) var prefixTokensReused = 0
  /// Kept pages that were forgotten to make room.
  public internal(set) var prefixPagesEvicted = 0
  /// Tokens generated.
  public internal(set) var tokensOut = 0
  /// Tokens guessed ahead, and those of them that were right.
  public internal(set) var tokensDrafted = 0
  public internal(set) var tokensAccepted = 0
  public internal(set) var steps = 0
  /// Rows of all steps.
  public internal(set) var rows = 0
  public internal(set) var largestBatch = 0
}
