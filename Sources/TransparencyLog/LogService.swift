import Receipts
import Synchronization
public import Transparency

/// A log that takes entries from many at once, gives them their places in batches, and publishes what its witnesses
/// have seen.
///
/// After a failed write it opens itself again as after a death, and takes entries again when that succeeds.
public final class LogService<Storage: LogStorage>: LogClient {
  public let key: NoteVerifierKey
  public let storage: Storage
  public let options: LogOptions
  private let index: any LeafIndex
  private let signer: NoteSigner
  private let admission: Admission
  private let publisher: CheckpointPublisher<Storage>
  private let places: LeafPlaces<Storage>
  // Held by the disk's thread for as long as a batch takes.
  private let sequencer: Mutex<Sequencer<Storage>>
  private let disk = SerialWork("evident.log.sequence")
  private let reads = SerialWork("evident.log.read")
  private let state: Mutex<State>
  private let work: (stream: AsyncStream<Void>, continuation: AsyncStream<Void>.Continuation)
  private let tell: @Sendable (LogEvent) -> Void

  private struct Waiting: Sendable {
    let entry: [UInt8]
    let answer: CheckedContinuation<Result<SequencedEntry, EntryRefusal>, Never>
  }

  private struct State: Sendable {
    var waiting: [Waiting] = []
    var waitingBytes = 0
    var latest: SignedCheckpoint
    /// Why nothing is taken; nil while entries are.
    var refusal: String?
    var isClosed = false
    /// Until the next batch.
    var pause: Task<Void, Never>?
    var metrics = LogMetrics()
  }

  /// Opens the log, or begins one if the storage is empty.
  ///
  /// - Parameters:
  ///   - policy: when a checkpoint is published; nil for at once. Its own log need not be in it.
  ///   - witnesses: those of the policy that can be asked.
  ///   - tell: is called with what the operator should know.
  public init(
    storage: Storage, index: any LeafIndex, signer: NoteSigner, admission: Admission, policy: TrustPolicy? = nil,
    witnesses: [WitnessLink] = [], options: LogOptions = LogOptions(),
    tell: @escaping @Sendable (LogEvent) -> Void = { _ in }
  ) throws(LogFailure) {
    let sequencer = try Sequencer(storage: storage, index: index, signer: signer)
    let latest = sequencer.latest
    let published = try PublishedCheckpoint(storage: storage, log: signer.verifierKey, latest: latest.checkpoint)
    let tiles = StorageTiles(storage: storage)
    key = signer.verifierKey
    self.storage = storage
    self.options = options
    self.index = index
    self.signer = signer
    self.admission = admission
    places = LeafPlaces(index: index, tiles: tiles)
    publisher = CheckpointPublisher(
      published: published, latest: latest, log: signer.verifierKey, policy: policy, links: witnesses, tiles: tiles,
      options: options, tell: tell)
    self.tell = tell
    self.sequencer = Mutex(sequencer)
    state = Mutex(State(latest: latest))
    work = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
  }

  /// What readers get and what it waits for.
  public var view: LogView { publisher.view.withLock { $0 } }

  /// Why no entries are taken; nil while they are.
  public var refusal: String? { state.withLock { $0.refusal } }

  public var metrics: LogMetrics {
    state.withLock { state in
      var metrics = state.metrics
      metrics.size = state.latest.checkpoint.size
      metrics.waiting = state.waiting.count
      return metrics
    }
  }

  /// Works until ``close()``, then writes what is waiting, gives the witnesses a while to cosign it, and returns.
  ///
  /// - Throws: ``LogFailure`` that opening the log again has met, when it is damaged.
  public func run() async throws {
    let publishing = Task { await publisher.run() }
    defer {
      publishing.cancel()
      refuseAll()
    }
    var next = ContinuousClock.now
    for await _ in work.stream {
      while state.withLock({ !$0.waiting.isEmpty }) {
        // A large batch need not wait for more.
        if !isLarge { await pause(until: next) }
        next = .now + options.batchInterval
        await sequence(take())
        if state.withLock({ $0.refusal != nil && !$0.isClosed }) { try await reopen() }
      }
      if state.withLock({ $0.isClosed }) { return await finish(publishing) }
    }
  }

  /// Takes no more entries; those that wait are still written.
  public func close() {
    state.withLock {
      $0.isClosed = true
      $0.refusal = $0.refusal ?? "it is shutting down"
      $0.pause?.cancel()
    }
    work.continuation.yield()
  }

  private func pause(until next: ContinuousClock.Instant) async {
    let pause = Task { _ = try? await Task.sleep(until: next) }
    state.withLock {
      $0.pause = pause
      if $0.isClosed || isLarge($0) { pause.cancel() }
    }
    await withTaskCancellationHandler {
      await pause.value
    } onCancel: {
      pause.cancel()
    }
  }

  private func finish(_ publishing: Task<Void, Never>) async {
    publisher.close()
    let limit = Task {
      try? await Task.sleep(for: options.closingMax)
      publishing.cancel()
    }
    await withTaskCancellationHandler {
      await publishing.value
    } onCancel: {
      publishing.cancel()
    }
    limit.cancel()
  }

  /// Nobody works any more: who still waits hears so.
  private func refuseAll() {
    let (left, reason) = state.withLock { state in
      let reason = state.refusal ?? "it has ended"
      state.refusal = reason
      defer { (state.waiting, state.waitingBytes) = ([], 0) }
      return (state.waiting, reason)
    }
    for waiting in left { waiting.answer.resume(returning: .failure(.unavailable(reason: reason))) }
  }

  /// Checks an entry, and answers when it is durable.
  ///
  /// - Throws: ``EntryRefusal``.
  public func submit(_ bytes: [UInt8]) async throws -> SequencedEntry {
    do {
      let signed = try SignedEntry.submitted(bytes)
      try admission.judge(signed)
      // Anyone can read the log and send its entries again: that must not use up their signers' rates.
      if admission.hasRate, let first = try? await index(of: .leaf(bytes)) {
        state.withLock { $0.metrics.duplicates += 1 }
        return SequencedEntry(index: first, isDuplicate: true)
      }
      try admission.count(signed)
      return try await withCheckedContinuation { continuation in
        let refusal = enqueue(Waiting(entry: bytes, answer: continuation))
        if let refusal { continuation.resume(returning: .failure(refusal)) }
      }.get()
    } catch {
      state.withLock { $0.metrics.refused += 1 }
      throw error
    }
  }

  public func publishedSize() async throws -> UInt64 {
    publisher.view.withLock { $0.published?.checkpoint.size ?? 0 }
  }

  /// - Returns: a proof in the published checkpoint, which is anyone's to verify.
  public func proof(of leaf: MerkleHash) async throws -> ProofAnswer {
    guard let index = try await index(of: leaf) else { return .unknown }
    let view = view
    return try await reads.run { [storage] in
      guard let published = view.published, index < published.checkpoint.size else {
        return .pending(index: index, reason: view.reason ?? "it will be in the next checkpoint")
      }
      let tree = TileTree(size: published.checkpoint.size, source: StorageTiles(storage: storage))
      let hashes = try tree.inclusionProof(of: index).hashes
      return .logged(try InclusionEvidence(index: index, hashes: hashes, signed: published))
    }
  }

  /// The bytes of a tile or a bundle; nil if the log has no such.
  public func tile(_ path: TilePath) async throws -> [UInt8]? {
    try await reads.run { [storage] in try storage.read(path.description) }
  }

  /// Where an entry is in the log; nil if it is not.
  private func index(of leaf: MerkleHash) async throws -> UInt64? {
    let size = state.withLock { $0.latest.checkpoint.size }
    return try await reads.run { [places] in try places.find([leaf], in: size)[0] }
  }

  private func enqueue(_ waiting: Waiting) -> EntryRefusal? {
    let refusal = state.withLock { state -> EntryRefusal? in
      if let reason = state.refusal { return .unavailable(reason: reason) }
      guard state.waiting.count < options.waitingMax,
        state.waitingBytes + waiting.entry.count <= options.waitingBytesMax
      else { return .unavailable(reason: "too many are waiting") }
      state.waiting.append(waiting)
      state.waitingBytes += waiting.entry.count
      if isLarge(state) { state.pause?.cancel() }
      return nil
    }
    if refusal == nil { work.continuation.yield() }
    return refusal
  }

  private var isLarge: Bool { state.withLock { $0.isClosed || isLarge($0) } }

  private func isLarge(_ state: State) -> Bool {
    state.waiting.count >= min(options.batchEntriesPrompt, options.batchEntriesMax)
      || state.waitingBytes >= PendingBatch.bytesMax / 2
  }

  /// The first of those that wait, as many as a batch may have.
  private func take() -> [Waiting] {
    state.withLock { state in
      var bytes = 0
      var count = 0
      for waiting in state.waiting.prefix(options.batchEntriesMax) {
        bytes += waiting.entry.count + 2
        if count > 0 && bytes > PendingBatch.bytesMax / 2 { break }
        count += 1
      }
      let batch = Array(state.waiting.prefix(count))
      state.waiting.removeFirst(count)
      state.waitingBytes -= batch.reduce(0) { $0 + $1.entry.count }
      return batch
    }
  }

  private func sequence(_ batch: [Waiting]) async {
    let result = await disk.result { [self] () throws(LogFailure) in
      try sequencer.withLock { (sequencer) throws(LogFailure) in
        (try sequencer.append(batch.map(\.entry)), sequencer.latest)
      }
    }
    switch result {
    case .success((let placed, let latest)):
      state.withLock {
        $0.latest = latest
        $0.metrics.batches += 1
        $0.metrics.duplicates += placed.count(where: \.isDuplicate)
      }
      for (waiting, entry) in zip(batch, placed) { waiting.answer.resume(returning: .success(entry)) }
      publisher.advance(to: latest)
    case .failure(let failure):
      tell(.stopped(reason: failure.description))
      let reason = "a write has failed, and is tried again; the log's operator sees why"
      let others = state.withLock { state in
        state.refusal = reason
        state.metrics.failures += 1
        defer { (state.waiting, state.waitingBytes) = ([], 0) }
        return state.waiting
      }
      for waiting in batch + others { waiting.answer.resume(returning: .failure(.unavailable(reason: reason))) }
    }
  }

  /// What starting again would do, as often as it takes.
  private func reopen() async throws {
    var delay = options.retryDelays.lowerBound
    while !Task.isCancelled && !state.withLock({ $0.isClosed }) {
      try? await Task.sleep(for: delay)
      delay = min(delay * 2, options.retryDelays.upperBound)
      let result = await disk.result { [self] () throws(LogFailure) in
        let opened = try Sequencer(storage: storage, index: index, signer: signer)
        sequencer.withLock { $0 = opened }
        return opened.latest
      }
      switch result {
      case .success(let latest):
        state.withLock {
          $0.latest = latest
          if !$0.isClosed { $0.refusal = nil }
        }
        tell(.resumed)
        return publisher.advance(to: latest)
      case .failure(.storage): continue
      case .failure(let failure): throw failure
      }
    }
  }
}

/// What a log counts since its start.
public struct LogMetrics: Sendable, Equatable {
  /// Entries that are durable, since ever.
  public internal(set) var size: UInt64 = 0
  public internal(set) var waiting = 0
  public internal(set) var batches = 0
  public internal(set) var duplicates = 0
  public internal(set) var refused = 0
  /// Failed writes that it came back from, or not yet.
  public internal(set) var failures = 0
}
