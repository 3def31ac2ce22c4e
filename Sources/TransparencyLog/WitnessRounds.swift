import Transparency

/// Which checkpoint the witnesses are asked for, and when it is published.
///
/// A round asks every witness for the newest checkpoint of its beginning; it ends when the quorum is reached, whoever
/// is still missing, or when all have answered and it is not. Witnesses that are slow do not hold up a round that does
/// not need them, and are asked for the newest checkpoint when they have answered.
struct WitnessRounds: Sendable {
  /// A question to all witnesses.
  struct Call: Sendable {
    let round: Int
    let signed: SignedCheckpoint
  }

  enum Action: Sendable {
    case ask(Call)
    case publish(SignedCheckpoint)
    /// Begin again after a while, if it is still this round.
    case retry(round: Int, after: Duration)
  }

  private let policy: TrustPolicy?
  private let log: NoteVerifierKey
  private let witnesses: Int
  private let delays: ClosedRange<Duration>
  private var delay: Duration
  private var newest: SignedCheckpoint
  private var round = 0
  private var answered: Set<Int> = []
  private var published: SignedCheckpoint?
  /// The checkpoint of the round, with the cosignatures that came so far.
  private(set) var candidate: SignedCheckpoint
  private(set) var isPublished = false
  private(set) var failures: [Int: WitnessFailure] = [:]

  init(
    policy: TrustPolicy?, log: NoteVerifierKey, witnesses: Int, published: SignedCheckpoint?, latest: SignedCheckpoint,
    delays: ClosedRange<Duration>
  ) {
    self.policy = policy
    self.log = log
    self.witnesses = witnesses
    self.published = published
    self.delays = delays
    delay = delays.lowerBound
    newest = latest
    candidate = latest
  }

  mutating func begin() -> [Action] {
    round += 1
    isPublished = false
    answered = []
    // After a start the last checkpoint may be the published one already; late witnesses still add to it.
    candidate = published?.checkpoint == newest.checkpoint ? published ?? newest : newest
    return [.ask(Call(round: round, signed: newest))] + decide()
  }

  /// There is a larger checkpoint, durable with everything under it.
  mutating func advance(to latest: SignedCheckpoint) -> [Action] {
    guard latest.checkpoint.size > newest.checkpoint.size else { return [] }
    newest = latest
    return isPublished ? begin() : []
  }

  mutating func answer(
    _ result: Result<NoteSignature, WitnessFailure>, by witness: Int, to call: Call
  ) -> [Action] {
    var late: [Action] = []
    switch result {
    case .success(let line):
      failures[witness] = nil
      if call.signed.checkpoint == candidate.checkpoint {
        if let more = try? candidate.adding([line]) { candidate = more }
      } else if let published, published.checkpoint == call.signed.checkpoint,
        let more = try? published.adding([line])
      {
        // Too late to be needed, but a reader's policy may need it.
        late = [.publish(more)]
      }
    case .failure(let failure): failures[witness] = failure
    }
    if call.round == round { answered.insert(witness) }
    return late + (call.signed.checkpoint == candidate.checkpoint ? decide() : [])
  }

  mutating func didPublish(_ signed: SignedCheckpoint) -> [Action] {
    published = signed
    return signed.checkpoint == candidate.checkpoint && !isPublished ? settled() : []
  }

  mutating func couldNotPublish() -> [Action] { [retry()] }

  mutating func retry(of round: Int) -> [Action] { round == self.round && !isPublished ? begin() : [] }

  /// - Returns: what the quorum is missing; nil when the candidate may be published.
  func shortfall() -> String? {
    guard let policy else { return nil }
    do {
      guard case .notReached(let shortfall) = try policy.evaluate(candidate, furtherLogs: [log]).quorum else {
        return nil
      }
      return shortfall.description
    } catch { return error.description }
  }

  private mutating func decide() -> [Action] {
    if shortfall() == nil {
      if published != candidate { return [.publish(candidate)] }
      return isPublished ? [] : settled()
    }
    return answered.count == witnesses ? [retry()] : []
  }

  private mutating func settled() -> [Action] {
    isPublished = true
    delay = delays.lowerBound
    return newest.checkpoint.size > candidate.checkpoint.size ? begin() : []
  }

  private mutating func retry() -> Action {
    defer { delay = min(delay * 2, delays.upperBound) }
    return .retry(round: round, after: delay)
  }
}
