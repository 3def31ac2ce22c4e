import Transparency

/// Which checkpoint the witnesses are asked for, and when it is published.
///
/// A round asks every witness for the newest checkpoint of its beginning; it ends when the quorum is reached, whoever
/// is still missing, or when all have answered and it is not. Witnesses that are slow do not hold up a round that does
/// not need them, and are asked for the newest checkpoint when they have answered. Until the log grows again, those
/// who could not cosign what is published are asked again, after longer and longer whiles: a reader's policy may need
/// them though the log's own did not.
///
/// The first cosignature of each witness is kept. It says since when the checkpoint is known; a later one would say
/// less, and one more at each start of a log that does not grow would fill the note.
struct WitnessRounds: Sendable {
  /// A question to witnesses.
  struct Call: Sendable {
    let round: Int
    let signed: SignedCheckpoint
  }

  enum Action: Sendable {
    /// All of them.
    case ask(Call)
    /// One that is missing.
    case askAgain(Call, witness: Int)
    case publish(SignedCheckpoint)
    /// Begin again after a while, if it is still this round.
    case retry(round: Int, after: Duration)
    /// See after a while whether it is still missing.
    case remind(witness: Int, after: Duration)
  }

  private let policy: TrustPolicy?
  private let log: NoteVerifierKey
  private let witnesses: [NoteVerifierKey]
  private let delays: ClosedRange<Duration>
  private let reminderDelays: ClosedRange<Duration>
  private var delay: Duration
  private var newest: SignedCheckpoint
  private var round = 0
  private var answered: Set<Int> = []
  /// Those of whom there is a reminder already.
  private var reminded: Set<Int> = []
  /// Of the next reminder, where one has failed.
  private var reminderDelay: [Int: Duration] = [:]
  private var published: SignedCheckpoint?
  /// The checkpoint of the round, with the cosignatures that came so far.
  private(set) var candidate: SignedCheckpoint
  private(set) var isPublished = false
  private(set) var failures: [Int: WitnessFailure] = [:]

  init(
    policy: TrustPolicy?, log: NoteVerifierKey, witnesses: [NoteVerifierKey], published: SignedCheckpoint?,
    latest: SignedCheckpoint, delays: ClosedRange<Duration>, reminderDelays: ClosedRange<Duration>
  ) {
    self.policy = policy
    self.log = log
    self.witnesses = witnesses
    self.published = published
    self.delays = delays
    self.reminderDelays = reminderDelays
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
      reminderDelay[witness] = nil
      if call.signed.checkpoint == candidate.checkpoint {
        candidate = WitnessRounds.adding(line, to: candidate)
      } else if let published, published.checkpoint == call.signed.checkpoint {
        // Too late to be needed, but a reader's policy may need it.
        let more = WitnessRounds.adding(line, to: published)
        if more != published { late = [.publish(more)] }
      }
    case .failure(let failure): failures[witness] = failure
    }
    if call.round == round { answered.insert(witness) }
    return late + (call.signed.checkpoint == candidate.checkpoint ? decide() + reminders() : [])
  }

  mutating func didPublish(_ signed: SignedCheckpoint) -> [Action] {
    published = signed
    return signed.checkpoint == candidate.checkpoint && !isPublished ? settled() : []
  }

  mutating func couldNotPublish() -> [Action] { [retry()] }

  mutating func retry(of round: Int) -> [Action] {
    guard round == self.round else { return [] }
    // A late cosignature that could not be written.
    if isPublished { return published == candidate ? [] : [.publish(candidate)] }
    return begin()
  }

  /// A reminder is due.
  mutating func remember(_ witness: Int) -> [Action] {
    reminded.remove(witness)
    // A round that is under way asks everyone.
    guard isPublished, isMissing(witness) else { return [] }
    answered.remove(witness)
    return [.askAgain(Call(round: round, signed: newest), witness: witness)]
  }

  /// All have answered, and it is not enough.
  var hasFailed: Bool { !isPublished && answered.count == witnesses.count }

  /// Nothing is left to be published.
  var isSettled: Bool { isPublished && published == candidate && newest.checkpoint.size == candidate.checkpoint.size }

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
    return answered.count == witnesses.count ? [retry()] : []
  }

  private mutating func settled() -> [Action] {
    isPublished = true
    delay = delays.lowerBound
    return newest.checkpoint.size > candidate.checkpoint.size ? begin() : reminders()
  }

  /// For those who have answered, and have not cosigned what is published.
  private mutating func reminders() -> [Action] {
    guard isPublished else { return [] }
    return witnesses.indices.filter { answered.contains($0) && isMissing($0) && !reminded.contains($0) }.map {
      witness in
      let after = reminderDelay[witness] ?? reminderDelays.lowerBound
      reminderDelay[witness] = min(after * 2, reminderDelays.upperBound)
      reminded.insert(witness)
      return .remind(witness: witness, after: after)
    }
  }

  private func isMissing(_ witness: Int) -> Bool {
    !candidate.note.signatures.contains {
      $0.name == witnesses[witness].name && $0.keyID == witnesses[witness].keyID
    }
  }

  private static func adding(_ line: NoteSignature, to signed: SignedCheckpoint) -> SignedCheckpoint {
    if signed.note.signatures.contains(where: { $0.name == line.name && $0.keyID == line.keyID }) { return signed }
    // One that does not fit any more is none.
    return (try? signed.adding([line])) ?? signed
  }

  private mutating func retry() -> Action {
    defer { delay = min(delay * 2, delays.upperBound) }
    return .retry(round: round, after: delay)
  }
}
