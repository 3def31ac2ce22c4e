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
    guard let observation = evidence.options.observation else { throw .notObserved }
    let checkpoint = observation.signed.checkpoint
    do { _ = try observation.signed.verified(by: [promise.log]) } catch {
      throw .observationUnusable("its checkpoint is not the promised log's: \(error)")
    }
    switch observation.finding {
    case .included(let proof):
      guard proof.size == checkpoint.size else {
        throw .observationUnusable("its proof is not for its checkpoint")
      }
      do { try proof.verify(leaf: envelope.leafHash, root: checkpoint.root) } catch {
        throw .observationUnusable(error.description)
      }
      return .pass("looked up: the receipt is entry \(proof.index) of the \(checkpoint.size) of \(checkpoint.origin)")
    case .absent:
      guard observation.time > evidence.seconds(promise.loggedBy) else {
        throw .pending(log: promise.log.name.description, until: promise.loggedBy)
      }
      return .fail(
        .promiseBroken(
          log: promise.log, loggedBy: promise.loggedBy, size: checkpoint.size, seen: UTCTime.text(observation.time)))
    }
  }
}
