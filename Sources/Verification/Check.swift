/// One question put to the evidence. One check, one file, one line of the verdict; where answers and
/// embeddings put it differently, one file each.
protocol Check: Sendable {
  static var name: CheckName { get }

  /// - Throws: ``SkipReason`` when the question cannot be put.
  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome
}

/// What a check found.
public enum CheckOutcome: Sendable, Equatable {
  /// With a sentence that says what now holds.
  case pass(String)
  case fail(Refutation)
  /// Not performed. Never counts as passed.
  case skip(SkipReason)

  public var word: String {
    switch self {
    case .pass: "PASS"
    case .fail: "FAIL"
    case .skip: "SKIP"
    }
  }

  /// In plain English.
  public var reason: String {
    switch self {
    case .pass(let reason): reason
    case .fail(let refutation): refutation.description
    case .skip(let reason): reason.description
    }
  }

  /// What to do about it, when there is something.
  public var hint: String? {
    switch self {
    case .pass: nil
    case .fail(let refutation): refutation.hint
    case .skip(let reason): reason.hint
    }
  }
}

/// A line of the verdict.
public struct CheckResult: Sendable, Equatable {
  public let check: CheckName
  public let outcome: CheckOutcome
}

/// Why a check was not performed.
public enum SkipReason: Error, Sendable, Equatable, CustomStringConvertible {
  case fileUnreadable
  case statementUnreadable
  case noOpening
  case noModelManifest
  case modelManifestRefuted
  case notAsked
  /// Nothing was asked about prompt and answer.
  case receiptOnly
  /// Not a question about a statement of this kind. Which checks run is decided before, so no verdict has it.
  case otherKind
  case modelNotHere
  case contradicted(CheckName)
  case computationFailed(by: String, message: String)
  /// Promised and not in the file yet.
  case pending(log: String, until: String)
  case nothingPromised
  /// A proof, and neither a policy nor a promise that says of which log.
  case noPolicy
  /// The built-in policy, which asks for no witness.
  case noWitnessesChosen(log: String)
  case noWitnessTime
  /// The checkpoint is newer than the promise: it does not show that the promise was kept, nor that it was broken.
  case seenAfterPromise(seen: String, loggedBy: String)
  case notObserved
  /// It was asked for.
  case lookupFailed
  /// The newest checkpoint there is too old to show that the receipt is missing.
  case copyTooOld(seen: String, loggedBy: String)
  case observationUnusable(String)
  case noKeyHistory

  public var description: String {
    switch self {
    case .fileUnreadable: "the file could not be read"
    case .statementUnreadable: "the statement could not be read"
    case .noOpening: "the file holds no opening: neither prompt nor answer is in it"
    case .noModelManifest: "the file holds a receipt only, without the model manifest"
    case .modelManifestRefuted: "the model manifest is not the one that the statement names"
    case .notAsked: "not asked for"
    case .receiptOnly: "only the receipt was asked about"
    case .otherKind: "the statement is about something else"
    case .modelNotHere: "this machine does not have the model"
    case .contradicted(let check): "it makes no sense after \(check.title) failed"
    case .computationFailed(let by, let message): "\(by) could not recompute the answer: \(message)"
    case .pending(let log, let until): "pending: the node promises to have it in the log \(log) by \(until)"
    case .nothingPromised: "the node promised no log"
    case .noPolicy: "the file has a log's proof, the node promised no log, and you gave no policy that names one"
    case .noWitnessesChosen(let log):
      "you named no witness: \(log) alone stands behind its record, which is worth nothing against its operator"
    case .noWitnessTime: "no witness is asked for, and nobody else says when"
    case .seenAfterPromise(let seen, let loggedBy):
      "the witnesses' checkpoint is of \(seen), and promised was \(loggedBy): it shows that the receipt is in the log, "
        + "and not since when"
    case .notObserved: "nobody looked into the log"
    case .lookupFailed: "the log could not be looked through"
    case .copyTooOld(let seen, let loggedBy):
      "the receipt is not there; but the witnesses' checkpoint is of \(seen), which is not an hour after the promised "
        + "\(loggedBy): it may be an old copy, or nothing was logged since"
    case .observationUnusable(let reason): "what was found in the log cannot be used: \(reason)"
    case .noKeyHistory: "the file shows no succession or revocation of the node's key"
    }
  }

  public var hint: String? {
    switch self {
    case .noOpening, .noModelManifest:
      "ask whoever gave you the file for the complete evidence file; the node keeps it for a limited time"
    case .notAsked: "add --replay to recompute the answer here"
    case .modelNotHere: "import the model, or copy it into the store, and verify again"
    case .computationFailed: "verify again on a machine that can run the model"
    case .pending:
      "fetch the file again from the node when it is logged, normally after a few seconds; when that time is over, look "
        + "it up with --log"
    case .noPolicy, .noWitnessesChosen, .noWitnessTime:
      "name logs and witnesses that you believe in a policy file, and give it with --policy"
    case .seenAfterPromise: "a proof that the node fetched in time shows it; ask the node for the file"
    case .observationUnusable, .lookupFailed: "look the receipt up again, in the log that it names"
    case .copyTooOld: "look again at the log's own address; an entry that is logged after that time decides it"
    case .fileUnreadable, .statementUnreadable, .modelManifestRefuted, .contradicted, .otherKind, .nothingPromised,
      .notObserved, .noKeyHistory, .receiptOnly:
      nil
    }
  }
}
