import Synchronization
public import Transparency

/// Brings each new checkpoint to the witnesses, and publishes it when the log's policy has its quorum.
///
/// It goes in rounds. A round asks every witness for the newest checkpoint of its beginning; it ends when the quorum
/// is reached, whoever is still missing, or when all have answered and it is not. Witnesses that are slow do not hold
/// up a round that does not need them, and are asked for the newest checkpoint when they have answered.
actor CheckpointPublisher<Storage: LogStorage> {
  private let policy: TrustPolicy?
  private let log: NoteVerifierKey
  private let links: [WitnessLink]
  private let tiles: StorageTiles<Storage>
  private let retryDelays: ClosedRange<Duration>
  /// Only touched on the disk's thread.
  private let stored: StoredCheckpoint<Storage>
  private var published: SignedCheckpoint?
  private var isEnded = false
  private var newest: SignedCheckpoint
  /// The checkpoint of the round, with the cosignatures that came so far.
  private var candidate: SignedCheckpoint
  private var round = 0
  private var isPublished = false
  private var answered: Set<Int> = []
  private var failures: [Int: WitnessFailure] = [:]
  private var delay: Duration
  private var calls: [AsyncStream<Call>.Continuation] = []
  private let disk = SerialWork("evident.log.publish")
  /// What everyone may know.
  nonisolated let view: Mutex<LogView>

  private struct Call: Sendable {
    let round: Int
    let signed: SignedCheckpoint
  }

  init(
    published: PublishedCheckpoint<Storage>, latest: SignedCheckpoint, log: NoteVerifierKey, policy: TrustPolicy?,
    links: [WitnessLink], tiles: StorageTiles<Storage>, retryDelays: ClosedRange<Duration>
  ) {
    self.policy = policy
    self.log = log
    self.links = links
    self.tiles = tiles
    self.retryDelays = retryDelays
    stored = StoredCheckpoint(published)
    self.published = published.signed
    newest = latest
    candidate = latest
    delay = retryDelays.lowerBound
    view = Mutex(LogView(published: published.signed, links: links))
  }

  /// Runs until it is cancelled.
  func run() async {
    await withTaskGroup(of: Void.self) { group in
      for (number, link) in links.enumerated() {
        let (stream, continuation) = AsyncStream<Call>.makeStream(bufferingPolicy: .bufferingNewest(1))
        calls.append(continuation)
        var conversation = WitnessConversation(link: link, tiles: tiles)
        group.addTask {
          for await call in stream {
            do throws(WitnessFailure) {
              let line = try await conversation.cosignature(of: call.signed)
              await self.note(.success(line), by: number, call)
            } catch { await self.note(.failure(error), by: number, call) }
          }
        }
      }
      await begin()
      await group.waitForAll()
      isEnded = true
    }
  }

  /// There is a larger checkpoint, durable with everything under it.
  func advance(to latest: SignedCheckpoint) async {
    guard latest.checkpoint.size > newest.checkpoint.size else { return }
    newest = latest
    if isPublished { await begin() }
  }

  private func begin() async {
    round += 1
    isPublished = false
    answered = []
    candidate = newest
    // After a start the last checkpoint may be the published one already; late witnesses still add to it.
    if let published, published.checkpoint == candidate.checkpoint { candidate = published }
    let call = Call(round: round, signed: newest)
    await decide()
    // Deciding may have begun the next round already.
    if call.round == round { for continuation in calls { continuation.yield(call) } }
  }

  private func note(_ result: Result<NoteSignature, WitnessFailure>, by number: Int, _ call: Call) async {
    switch result {
    case .success(let line):
      failures[number] = nil
      if call.signed.checkpoint == candidate.checkpoint {
        if let more = try? candidate.adding([line]) { candidate = more }
      } else if let published, published.checkpoint == call.signed.checkpoint {
        // Too late to be needed, but a reader's policy may need it.
        if let more = try? published.adding([line]) { await publish(more) }
      }
    case .failure(let failure): failures[number] = failure
    }
    show()
    guard call.round == round else { return }
    answered.insert(number)
    await decide()
  }

  /// Publishes the candidate if it has its quorum, or goes on when all have answered.
  private func decide() async {
    if shortfall() == nil {
      let current = round
      if published != candidate { await publish(candidate) }
      guard current == round, published?.checkpoint == candidate.checkpoint else { return }
      isPublished = true
      delay = retryDelays.lowerBound
      show()
      if newest.checkpoint.size > candidate.checkpoint.size { await begin() }
    } else if answered.count == links.count {
      retryLater()
    }
  }

  private func retryLater() {
    let current = round
    let wait = delay
    delay = min(delay * 2, retryDelays.upperBound)
    Task {
      try? await Task.sleep(for: wait)
      if current == round, !isEnded { await begin() }
    }
  }

  /// - Returns: what the quorum is missing; nil when the checkpoint may be published.
  private func shortfall() -> String? {
    guard let policy else { return nil }
    do {
      guard case .notReached(let shortfall) = try policy.evaluate(candidate, furtherLogs: [log]).quorum else {
        return nil
      }
      return shortfall.description
    } catch { return error.description }
  }

  private func publish(_ signed: SignedCheckpoint) async {
    do throws(LogFailure) {
      let now = try await disk.run { [stored] () throws(LogFailure) in try stored.publish(signed) }
      // Two may have been under way.
      guard now.checkpoint.size >= published?.checkpoint.size ?? 0 else { return }
      published = now
      view.withLock { $0.published = now }
    } catch {
      view.withLock { $0.reason = "\(error)" }
      retryLater()
    }
  }

  private func show() {
    let missing = isPublished ? nil : shortfall()
    let reasons = failures.sorted { $0.key < $1.key }.map { "\(links[$0.key].name) \($0.value)" }
    let texts = failures.mapValues(\.description)
    let cosigned = Set(candidate.note.signatures.map(\.keyID))
    view.withLock {
      $0.reason = missing.map { ([$0] + reasons).joined(separator: "; ") }
      for number in links.indices {
        $0.witnesses[number].failure = texts[number]
        if cosigned.contains(links[number].key.keyID) { $0.witnesses[number].size = candidate.checkpoint.size }
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

  init(published: SignedCheckpoint?, links: [WitnessLink]) {
    self.published = published
    witnesses = links.map { Witness(name: $0.name) }
  }
}
