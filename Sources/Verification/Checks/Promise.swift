import Receipts
import Transparency

/// After the promised time, the receipt is in the log that was promised.
///
/// Soundness: a failure is only as good as the observation that it stands on; see ``LogObservation``.
enum PromiseCheck: Check {
  static let name = CheckName.promise

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    let claim = try evidence.claim()
    let envelope = try evidence.readDocument().envelope
    guard let promise = claim.promise else { throw .nothingPromised }
    guard let observation = evidence.options.observation else {
      throw evidence.options.isLookupAskedFor ? .lookupFailed : .notObserved
    }
    let checkpoint = observation.signed.checkpoint
    do { _ = try observation.signed.verified(by: [promise.log]) } catch {
      throw .observationUnusable("its checkpoint is not the promised log's: \(error)")
    }
    if let fork = fork(evidence, promise, observation) { return .fail(fork) }
    switch observation.finding {
    case .included(let proof):
      guard proof.size == checkpoint.size else {
        throw .observationUnusable("its proof is not for its checkpoint")
      }
      do { try proof.verify(leaf: envelope.leafHash, root: checkpoint.root) } catch {
        throw .observationUnusable(error.description)
      }
      let place = "looked up: the receipt is entry \(proof.index) of the \(checkpoint.size) of \(checkpoint.origin)"
      let loggedBy = evidence.seconds(promise.loggedBy)
      if observation.time <= loggedBy || evidence.finding?.seen.map({ $0 <= loggedBy }) == true { return .pass(place) }
      return .pass("\(place); promised was \(promise.loggedBy), and this does not show since when it is there")
    case .absent:
      guard observation.time > evidence.seconds(promise.loggedBy) else {
        throw .pending(log: promise.log.name.description, until: promise.loggedBy)
      }
      let seen = try freshness(evidence, promise, observation)
      return .fail(
        .promiseBroken(
          log: promise.log, loggedBy: promise.loggedBy, size: checkpoint.size, seen: UTCTime.text(seen)))
    }
  }

  /// The file's own checkpoint of the log against the entries that were looked through.
  private static func fork(
    _ evidence: Evidence, _ promise: Statement.Promise, _ observation: LogObservation
  ) -> Refutation? {
    guard let own = evidence.finding?.proof.signed, (try? own.verified(by: [promise.log])) != nil,
      let root = observation.roots[own.checkpoint.size], root != own.checkpoint.root
    else { return nil }
    return .logForked(log: promise.log, size: own.checkpoint.size, stated: own.checkpoint.root, found: root)
  }

  /// When the log had no newer checkpoint than this, in seconds since 1970.
  ///
  /// A copy of a log that is older than the promise shows nothing. Witnesses of the policy say how old it is, and their
  /// clocks and that of the node may differ; where there is none, whoever looked has to know where he looked.
  private static func freshness(
    _ evidence: Evidence, _ promise: Statement.Promise, _ observation: LogObservation
  ) throws(SkipReason) -> Int64 {
    let size = observation.signed.checkpoint.size
    if let finding = evidence.finding, case .success = finding.inclusion, case .success = finding.log,
      finding.proof.signed.checkpoint.size > size
    {
      throw .observationUnusable(
        "it is an older copy: it has \(size) entries, and the file has a checkpoint of "
          + "\(finding.proof.signed.checkpoint.size)")
    }
    guard let trust = evidence.trust, trust.policy.asksForWitnesses else { return observation.time }
    guard let verdict = try? trust.policy.evaluate(observation.signed, furtherLogs: trust.furtherLogs),
      case .reached(let time) = verdict.quorum
    else { throw .observationUnusable("not enough of your witnesses have cosigned its checkpoint") }
    let seen = Int64(clamping: time)
    guard seen - LogTimeCheck.clockSecondsMax > evidence.seconds(promise.loggedBy) else {
      throw .copyTooOld(seen: UTCTime.text(seen), loggedBy: promise.loggedBy)
    }
    return seen
  }
}
