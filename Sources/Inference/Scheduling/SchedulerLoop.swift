import ModelGraph

/// What the scheduler's thread does, and the state it shares with callers.
final class SchedulerLoop: @unchecked Sendable {
  // Sendable because `shared` is only touched under the lock of `parking`, the other variables only by the thread.
  let engine: Engine
  let options: SchedulerOptions
  let drafting: any Drafting
  private let parking = Parking()
  private var shared = Shared()
  private(set) var active: [ActiveAnswer] = []
  var prefixes: PrefixCache
  /// Prompt tokens taken from `prefixes` that the metrics do not yet have.
  var reusedSinceRecord = 0
  /// Which waiting prompt is first in the next step.
  var turn = 0
  private let choosing = ChoiceProgram()
  /// Written in place by every step: the wanted logits of one part after another.
  private var logits: [Logits] = []

  private struct Shared {
    var queue: [GenerationJob] = []
    var closed = false
    var cancelling = false
    var ended = false
    var waiters: [CheckedContinuation<Void, Never>] = []
    var metrics = SchedulerMetrics()
  }

  init(engine: Engine, options: SchedulerOptions, drafting: any Drafting) {
    self.engine = engine
    self.drafting = drafting
    self.options = options
    prefixes = PrefixCache(
      pageBytes: engine.cacheBytes(positions: PageLayout.positions), bytesMax: options.prefixCacheBytesMax)
  }

  // MARK: For callers

  func enqueue(_ job: GenerationJob) throws(GenerationRejection) {
    let (removed, rejection) = parking.locked { () -> ([GenerationJob], GenerationRejection?) in
      if shared.closed { return ([], .shuttingDown) }
      let removed = removeCancelledFromQueue()
      if shared.queue.count >= options.queueMax + max(0, options.activeMax - shared.metrics.active) {
        shared.metrics.refusedQueueFull += 1
        return (removed, .queueFull(max: options.queueMax))
      }
      shared.queue.append(job)
      shared.metrics.submitted += 1
      parking.wakeAll()
      return (removed, nil)
    }
    for job in removed { job.finish(.cancelled) }
    if let rejection { throw rejection }
  }

  func wake() { parking.locked { parking.wakeAll() } }

  func close(cancelling: Bool) {
    parking.locked {
      shared.closed = true
      shared.cancelling = shared.cancelling || cancelling
      parking.wakeAll()
    }
  }

  func ended() async {
    await withCheckedContinuation { continuation in
      let alreadyEnded = parking.locked {
        if !shared.ended { shared.waiters.append(continuation) }
        return shared.ended
      }
      if alreadyEnded { continuation.resume() }
    }
  }

  var currentMetrics: SchedulerMetrics {
    parking.locked {
      var metrics = shared.metrics
      metrics.queued = shared.queue.count
      metrics.cacheBytes = engine.cacheBytesInUse
      return metrics
    }
  }

  /// Under the lock. The caller ends the jobs afterwards, outside.
  private func removeCancelledFromQueue() -> [GenerationJob] {
    var kept: [GenerationJob] = []
    var removed: [GenerationJob] = []
    for job in shared.queue {
      if shared.cancelling || job.isCancelled { removed.append(job) } else { kept.append(job) }
    }
    if !removed.isEmpty {
      shared.queue = kept
      shared.metrics.finished[.cancelled, default: 0] += removed.count
    }
    return removed
  }

  // MARK: The thread

  func run() {
    while admit() {
      dropCancelled()
      if !active.isEmpty { step() }
    }
    prefixes.removeAll()
    record { _ in }
    let waiters = parking.locked {
      shared.ended = true
      defer { shared.waiters = [] }
      return shared.waiters
    }
    for waiter in waiters { waiter.resume() }
  }

  /// Moves requests from the queue to free places; sleeps while there is nothing to do.
  ///
  /// - Returns: false when everything is done and nothing more will come.
  private func admit() -> Bool {
    var removed: [GenerationJob] = []
    let goesOn = parking.locked {
      while true {
        removed += removeCancelledFromQueue()
        while let job = shared.queue.first, active.count < options.activeMax, fits(job) {
          shared.queue.removeFirst()
          active.append(place(job))
        }
        shared.metrics.active = active.count
        if !active.isEmpty { return true }
        if shared.closed && shared.queue.isEmpty { return false }
        if !removed.isEmpty { return true }
        parking.sleep()
      }
    }
    for job in removed { job.finish(.cancelled) }
    return goesOn
  }

  /// A request alone always fits: `submit` has refused larger ones.
  private func fits(_ job: GenerationJob) -> Bool {
    guard let max = options.cacheBytesMax else { return true }
    return bytesReserved(with: job) <= max
  }

  private func bytesReserved(with job: GenerationJob) -> Int {
    active.reduce(job.cacheBytes) { $0 + $1.job.cacheBytes }
  }

  /// Kept pages that this answer and others do not use make room for it.
  private func place(_ job: GenerationJob) -> ActiveAnswer {
    let answer = ActiveAnswer(engine, job, draftTokensMax: options.draftTokensMax)
    reusePrefix(answer)
    if let max = options.cacheBytesMax { prefixes.limitUnused(toBytes: max - bytesReserved(with: job)) }
    return answer
  }

  private func dropCancelled() {
    let cancelling = parking.locked { shared.cancelling }
    let leaving = active.filter { $0.job.isCancelled || cancelling }
    if leaving.isEmpty { return }
    active.removeAll { $0.job.isCancelled || cancelling }
    record { metrics in
      metrics.finished[.cancelled, default: 0] += leaving.count
      metrics.active = active.count
    }
    for answer in leaving { answer.job.finish(.cancelled) }
  }

  /// One evaluation: a token of every answer, and prompts as far as there is room.
  private func step() {
    let parts = nextParts()
    let batch = parts.map(\.slice)
    do {
      try evaluate(batch)
    } catch {
      prefixes.removeAll()
      fail(parts.map(\.answer), error)
      return
    }
    var counts = StepCounts(rows: batch.reduce(0) { $0 + $1.tokens.count })
    var ended: [(Int, FinishReason)] = []
    for (part, chosen) in zip(parts, choices(parts)) {
      let answer = active[part.answer]
      defer { answer.keep(in: &prefixes) }
      if part.isPrompt { counts.tokensIn += part.slice.tokens.count }
      guard let (tokens, finish) = chosen else { continue }
      counts.tokensOut += tokens.count
      counts.drafted += part.draft.count
      counts.accepted += tokens.count - 1
      for token in tokens { answer.job.continuation.yield(.token(token)) }
      if let finish { ended.append((part.answer, finish)) }
    }
    finish(ended, counts)
  }

  /// What each part chooses; nil where it wants no logits.
  private func choices(_ parts: [Part]) -> [ActiveAnswer.Choice?] {
    var row = 0
    for part in parts where part.slice.logits != .none {
      choosing.add(active[part.answer], logits[row...(row + part.draft.count)], draft: part.draft)
      row += 1 + part.draft.count
    }
    engine.share(choosing, alone: choosing.count <= 1)
    choosing.removeAll()
    return parts.map { $0.slice.logits == .none ? nil : active[$0.answer].choice }
  }

  private struct StepCounts {
    let rows: Int
    var tokensIn = 0
    var tokensOut = 0
    var drafted = 0
    var accepted = 0
  }

  /// Fills `logits`.
  private func evaluate(_ batch: [Slice]) throws {
    var row = 0
    try engine.evaluate(batch) { _, _, values in
      if row == logits.count { logits.append(Logits(values: [], exponent: 0)) }
      values.copy(to: &logits[row])
      row += 1
    }
  }

  private func finish(_ ended: [(Int, FinishReason)], _ counts: StepCounts) {
    let jobs = ended.map { (active[$0.0].job, $0.1) }
    for index in ended.map(\.0).sorted(by: >) { active.remove(at: index) }
    record { metrics in
      metrics.tokensIn += counts.tokensIn
      metrics.tokensOut += counts.tokensOut
      metrics.tokensDrafted += counts.drafted
      metrics.tokensAccepted += counts.accepted
      metrics.steps += 1
      metrics.rows += counts.rows
      metrics.lastBatch = counts.rows
      metrics.largestBatch = max(metrics.largestBatch, counts.rows)
      metrics.active = active.count
      for (_, reason) in ended { metrics.finished[reason, default: 0] += 1 }
    }
    for (job, reason) in jobs { job.finish(reason) }
  }

  private func fail(_ answers: [Int], _ error: any Error) {
    let jobs = answers.map { active[$0].job }
    for index in answers.sorted(by: >) { active.remove(at: index) }
    record { metrics in
      metrics.failed += jobs.count
      metrics.active = active.count
    }
    for job in jobs { job.continuation.finish(throwing: error) }
  }

  private func record(_ body: (inout SchedulerMetrics) -> Void) {
    parking.locked {
      shared.metrics.prefixTokensReused += reusedSinceRecord
      shared.metrics.prefixBytes = prefixes.byteCount
      shared.metrics.prefixPagesEvicted = prefixes.evictions
      body(&shared.metrics)
    }
    reusedSinceRecord = 0
  }
}
