import Synchronization
public import Transparency

/// Brings each new checkpoint to the witnesses, and publishes it when the log's policy has its quorum.
final class CheckpointPublisher<Storage: LogStorage>: Sendable {
  private enum Event: Sendable {
    case advanced(SignedCheckpoint)
    case answered(Result<NoteSignature, WitnessFailure>, by: Int, to: WitnessRounds.Call)
    case due(round: Int)
    case dueReminder(witness: Int)
    /// Nothing comes after this.
    case closing
  }

  private let links: [WitnessLink]
  private let tiles: StorageTiles<Storage>
  private let rounds: WitnessRounds
  private let stored: StoredCheckpoint<Storage>
  private let disk = SerialWork("evident.log.publish")
  private let tell: @Sendable (LogEvent) -> Void
  private let events: (stream: AsyncStream<Event>, continuation: AsyncStream<Event>.Continuation)
  /// What everyone may know.
  let view: Mutex<LogView>

  init(
    published: PublishedCheckpoint<Storage>, latest: SignedCheckpoint, log: NoteVerifierKey, policy: TrustPolicy?,
    links: [WitnessLink], tiles: StorageTiles<Storage>, options: LogOptions,
    tell: @escaping @Sendable (LogEvent) -> Void
  ) {
    self.tell = tell
    self.links = links
    self.tiles = tiles
    rounds = WitnessRounds(
      policy: policy, log: log, witnesses: links.map(\.key), published: published.signed, latest: latest,
      delays: options.retryDelays, reminderDelays: options.reminderDelays)
    stored = StoredCheckpoint(published)
    view = Mutex(LogView(published: published.signed, links: links))
    events = AsyncStream<Event>.makeStream()
  }

  /// There is a larger checkpoint, durable with everything under it.
  func advance(to latest: SignedCheckpoint) { events.continuation.yield(.advanced(latest)) }

  /// Nothing larger comes: ``run()`` returns when all is published, or cannot be now.
  func close() { events.continuation.yield(.closing) }

  /// Runs until it is closed or cancelled.
  func run() async {
    var calls: [AsyncStream<WitnessRounds.Call>.Continuation] = []
    var conversations: [Task<Void, Never>] = []
    for number in links.indices {
      let (stream, continuation) = AsyncStream<WitnessRounds.Call>.makeStream(bufferingPolicy: .bufferingNewest(1))
      calls.append(continuation)
      conversations.append(Task { await converse(number, stream) })
    }
    defer { for conversation in conversations { conversation.cancel() } }
    var rounds = rounds
    var actions = rounds.begin()
    var events = events.stream.makeAsyncIterator()
    var isClosing = false
    var isTrouble = false
    /// Of the last checkpoint, in the system's words.
    var writeFailure: String?
    while true {
      while !actions.isEmpty {
        switch actions.removeFirst() {
        case .ask(let call): for continuation in calls { continuation.yield(call) }
        case .askAgain(let call, let witness): calls[witness].yield(call)
        case .publish(let signed): actions += await publish(signed, &rounds, &writeFailure)
        case .retry(let round, let delay):
          show(rounds)
          if !isTrouble { tell(.publishingWaits(reason: writeFailure ?? view.withLock { $0.reason } ?? "")) }
          isTrouble = true
          // All have been asked for it, and it is not enough.
          if isClosing { return }
          wake(.due(round: round), after: delay)
        case .remind(let witness, let delay): wake(.dueReminder(witness: witness), after: delay)
        }
      }
      show(rounds)
      if isTrouble && rounds.isPublished && writeFailure == nil {
        isTrouble = false
        tell(.publishingGoesOn)
      }
      if isClosing && rounds.isSettled { return }
      guard let event = await events.next() else { return }
      switch event {
      case .advanced(let latest): actions = rounds.advance(to: latest)
      case .answered(let result, let witness, let call): actions = rounds.answer(result, by: witness, to: call)
      case .due(let round): actions = rounds.retry(of: round)
      case .dueReminder(let witness): actions = rounds.remember(witness)
      case .closing:
        isClosing = true
        // Once more, instead of when it would be time.
        if rounds.hasFailed { actions = rounds.begin() }
      }
    }
  }

  private func converse(_ number: Int, _ calls: AsyncStream<WitnessRounds.Call>) async {
    var conversation = WitnessConversation(link: links[number], tiles: tiles)
    for await call in calls {
      let result = await conversation.cosignature(of: call.signed)
      events.continuation.yield(.answered(result, by: number, to: call))
    }
  }

  private func wake(_ event: Event, after delay: Duration) {
    let continuation = events.continuation
    Task {
      try? await Task.sleep(for: delay)
      continuation.yield(event)
    }
  }

  private func publish(
    _ signed: SignedCheckpoint, _ rounds: inout WitnessRounds, _ writeFailure: inout String?
  ) async -> [WitnessRounds.Action] {
    let result = await disk.result { [stored] () throws(LogFailure) in try stored.publish(signed) }
    switch result {
    case .success(let now):
      writeFailure = nil
      view.withLock { $0.published = now }
      return rounds.didPublish(now)
    case .failure(let failure):
      writeFailure = failure.description
      view.withLock { $0.failure = "it cannot be written, and is tried again; the log's operator sees why" }
      return rounds.couldNotPublish()
    }
  }

  private func show(_ rounds: WitnessRounds) {
    let missing = rounds.isPublished ? nil : rounds.shortfall()
    let reasons = rounds.failures.sorted { $0.key < $1.key }.map { "\(links[$0.key].name) \($0.value)" }
    let cosigned = Set(rounds.candidate.note.signatures.map(\.keyID))
    view.withLock {
      if rounds.isPublished { $0.failure = nil }
      $0.reason = $0.failure ?? missing.map { ([$0] + reasons).joined(separator: "; ") }
      for number in links.indices {
        $0.witnesses[number].failure = rounds.failures[number]?.description
        if cosigned.contains(links[number].key.keyID) {
          $0.witnesses[number].size = rounds.candidate.checkpoint.size
        }
      }
    }
  }
}

/// The published checkpoint as the disk's thread has it, which never goes back whatever order things come in.
private final class StoredCheckpoint<Storage: LogStorage>: Sendable {
  private let published: Mutex<PublishedCheckpoint<Storage>>

  init(_ published: PublishedCheckpoint<Storage>) { self.published = Mutex(published) }

  /// - Returns: what is published now: this, with all signatures of before, or a later one.
  func publish(_ signed: SignedCheckpoint) throws(LogFailure) -> SignedCheckpoint {
    try published.withLock { (published) throws(LogFailure) in
      var new = signed
      if let old = published.signed, old.checkpoint.size >= signed.checkpoint.size {
        guard old.checkpoint == signed.checkpoint else { return old }
        do throws(CheckpointRejection) { new = try old.adding(signed.note.signatures) } catch {
          throw .checkpoint(error)
        }
        guard new != old else { return old }
      }
      try published.publish(new)
      return new
    }
  }
}

/// What a log tells about itself.
public struct LogView: Sendable {
  public struct Witness: Sendable {
    public let name: ByteText
    /// Of the largest checkpoint that it has cosigned since the start.
    public var size: UInt64 = 0
    /// Why it has not cosigned the last one.
    public var failure: String?
  }

  /// What readers get; nil before the first.
  public var published: SignedCheckpoint?
  /// What publishing waits for; nil if it does not.
  public var reason: String?
  public var witnesses: [Witness]
  /// Of the last write of the checkpoint.
  var failure: String?

  init(published: SignedCheckpoint?, links: [WitnessLink]) {
    self.published = published
    witnesses = links.map { Witness(name: $0.name) }
  }
}
