import Receipts
import Transparency

/// What evidence can establish, each on its own: levels are not one line.
///
/// Source: docs/spec/evidence.md, section 10.
public enum Level: String, Sendable, CaseIterable {
  case signed, logged, agreed, replayed, proven, attested

  /// What the level says, once established.
  public var establishes: String {
    switch self {
    case .signed: "this node said so, and cannot deny it"
    case .logged: "the statement is in a public log that witnesses of your choice have seen"
    case .agreed: "several operators independently produced the same digest"
    case .replayed: "your machine recomputed the answer bit for bit"
    case .proven: "a succinct proof shows it, without the model"
    case .attested: "hardware evidence says which software ran"
    }
  }

  /// Whom you have to believe even so.
  public var stillTrusted: String {
    switch self {
    case .signed: "the node, for the answer being the model's"
    case .logged: "the node, for the answer being the model's"
    case .agreed: "that the operators do not all collude"
    case .replayed: "only your own machine, and that the model's digest is the one you mean"
    case .proven: "the mathematics of the proof"
    case .attested: "the maker of the hardware"
    }
  }
}

/// A row of the verdict's table.
public struct LevelRow: Sendable, Equatable {
  public enum State: Sendable, Equatable {
    case established
    case refuted
    /// Promised for a time that is stated, and not shown yet.
    case pending(String)
    /// Something that it needs could not be checked.
    case incomplete(String)
    case notPerformed(String)

    public var word: String {
      switch self {
      case .established: "established"
      case .refuted: "refuted"
      case .pending: "pending"
      case .incomplete: "incomplete"
      case .notPerformed: "not performed"
      }
    }

    public var reason: String? {
      switch self {
      case .established, .refuted: nil
      case .pending(let reason), .incomplete(let reason), .notPerformed(let reason): reason
      }
    }
  }

  public let level: Level
  public let state: State
  /// What the level is worth here, where that is less than usual.
  public let remark: String?

  /// Why it is in this state, or what it is worth in it, where there is something to say.
  public var reason: String? { state.reason ?? (state == .established ? remark : nil) }

  init(level: Level, state: State, remark: String? = nil) {
    self.level = level
    self.state = state
    self.remark = remark
  }

  /// The table for what the checks found.
  static func table(_ results: [CheckResult], _ evidence: Evidence) -> [LevelRow] {
    let options = evidence.options
    let isRefuted = results.contains { if case .fail = $0.outcome { true } else { false } }
    /// The first skipped check of those that the level stands on.
    func gap(_ level: Level) -> (check: CheckName, reason: SkipReason)? {
      for result in results where level.standsOn(result.check.need, receiptOnly: options.receiptOnly) {
        guard case .skip(let reason) = result.outcome else { continue }
        // Where the policy asks for no witness, there is no time to ask for.
        if reason == .noWitnessTime && evidence.trust?.isBuiltIn == false { continue }
        return (result.check, reason)
      }
      return nil
    }
    func state(_ level: Level) -> LevelRow.State {
      guard let gap = gap(level) else { return .established }
      if case .pending(let log, let until) = gap.reason, level == .logged {
        return .pending("promised in the log \(log) by \(until)")
      }
      if gap.reason == .nothingPromised { return .notPerformed(gap.reason.description) }
      return .incomplete("\(gap.check.title): \(gap.reason)")
    }
    return Level.allCases.map { level in
      switch level {
      case .replayed where !options.replay: LevelRow(level: level, state: .notPerformed("not asked for"))
      case .agreed, .proven, .attested:
        LevelRow(level: level, state: .notPerformed("evidence of this version holds nothing of this kind"))
      case _ where isRefuted: LevelRow(level: level, state: .refuted)
      case .logged: LevelRow(level: level, state: state(level), remark: evidence.withoutWitnesses)
      case .signed, .replayed: LevelRow(level: level, state: state(level))
      }
    }
  }
}

extension Evidence {
  /// What a log is worth that no witness watches; nil where one is asked for.
  fileprivate var withoutWitnesses: String? {
    guard let finding, case .success(let log) = finding.log, trust?.policy.asksForWitnesses == false else { return nil }
    return "the statement is in the record of \(log.name), which is worth nothing against its operator: you ask for no "
      + "witness"
  }
}

extension Level {
  /// Whether the level stands on checks with this need.
  func standsOn(_ need: CheckName.Need, receiptOnly: Bool) -> Bool {
    switch (self, need) {
    case (.agreed, _), (.proven, _), (.attested, _): false
    case (_, .receipt): true
    case (_, .evidence): !receiptOnly || self == .replayed
    case (.logged, .log): true
    case (.replayed, .modelFiles), (.replayed, .computation): true
    case (_, .log), (_, .observation), (_, .keys), (_, .modelFiles), (_, .computation): false
    }
  }
}

extension VerifierOptions {
  /// Levels without which nothing is verified.
  var levelsAskedFor: Set<Level> { requiredLevels.union(replay ? [.signed, .replayed] : [.signed]) }

  /// Whether a verdict may pass only when checks with this need have passed.
  func isAskedFor(_ need: CheckName.Need) -> Bool {
    need == .observation ? isLookupAskedFor : levelsAskedFor.contains { $0.standsOn(need, receiptOnly: receiptOnly) }
  }
}
