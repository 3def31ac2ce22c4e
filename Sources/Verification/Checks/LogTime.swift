import Receipts
import Transparency

/// The quorum saw the receipt in the log after it was made and not later than was promised.
enum LogTimeCheck: Check {
  static let name = CheckName.logTime
  /// How far the clocks of nodes and witnesses may be apart.
  static let clockSecondsMax: Int64 = 3600

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    let claim = try evidence.claim()
    let made = evidence.seconds(claim.time)
    if let promise = claim.promise, evidence.seconds(promise.loggedBy) < made {
      return .fail(.promiseBeforeStatement(loggedBy: promise.loggedBy, time: claim.time))
    }
    let finding = try evidence.logFinding()
    guard case .success = finding.log else { throw .contradicted(.logSignature) }
    guard case .success(let verdict) = finding.verdict else { throw .contradicted(.witnessQuorum) }
    let seen: Int64
    switch verdict.quorum {
    case .notAskedFor: throw .noWitnessTime
    case .notReached: throw .contradicted(.witnessQuorum)
    case .reached(let time): seen = Int64(clamping: time)
    }
    let text = UTCTime.text(seen)
    guard seen >= made - clockSecondsMax else { return .fail(.loggedBeforeStatement(seen: text, time: claim.time)) }
    guard let promise = claim.promise else { return .pass("the quorum had seen it by \(text)") }
    // An honest log's proof for a later checkpoint is one, too, so this refutes nobody.
    guard seen <= evidence.seconds(promise.loggedBy) else {
      throw .seenAfterPromise(seen: text, loggedBy: promise.loggedBy)
    }
    return .pass("the quorum had seen it by \(text); promised was \(promise.loggedBy)")
  }
}
