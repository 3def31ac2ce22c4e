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
    /// Asked for, and something that it needs could not be checked.
    case incomplete(String)
    case notPerformed(String)

    public var word: String {
      switch self {
      case .established: "established"
      case .refuted: "refuted"
      case .incomplete: "incomplete"
      case .notPerformed: "not performed"
      }
    }

    public var reason: String? {
      switch self {
      case .established, .refuted: nil
      case .incomplete(let reason), .notPerformed(let reason): reason
      }
    }
  }

  public let level: Level
  public let state: State

  /// The table for what the checks found.
  static func table(_ results: [CheckResult], options: VerifierOptions) -> [LevelRow] {
    let isRefuted = results.contains { if case .fail = $0.outcome { true } else { false } }
    func row(_ level: Level, _ needed: (CheckName.Need) -> Bool) -> LevelRow {
      if isRefuted { return LevelRow(level: level, state: .refuted) }
      for result in results where needed(result.check.need) {
        if case .skip(let reason) = result.outcome {
          return LevelRow(level: level, state: .incomplete("\(result.check.title): \(reason)"))
        }
      }
      return LevelRow(level: level, state: .established)
    }
    return Level.allCases.map { level in
      switch level {
      case .signed: row(.signed) { options.isAskedFor(signed: $0) }
      case .replayed where options.replay: row(.replayed) { _ in true }
      case .replayed: LevelRow(level: level, state: .notPerformed("not asked for"))
      case .logged: LevelRow(level: level, state: .notPerformed("this version does not check what the log proves"))
      case .agreed, .proven, .attested:
        LevelRow(level: level, state: .notPerformed("evidence of this version holds nothing of this kind"))
      }
    }
  }
}

extension VerifierOptions {
  /// Whether the level `signed` stands on checks with this need.
  func isAskedFor(signed need: CheckName.Need) -> Bool {
    switch need {
    case .receipt: true
    case .evidence: !receiptOnly
    case .modelFiles, .computation: false
    }
  }

  /// Whether a verdict may pass only when checks with this need have passed.
  func isAskedFor(_ need: CheckName.Need) -> Bool { replay || isAskedFor(signed: need) }
}
