public import Receipts
public import Transparency
public import TransparencyLog

/// Follows a log: each checkpoint, and each entry in between, once.
///
/// The hashes of the right edge of the last verified tree are kept. New entries are added to them, and must give the
/// new root: so no entry is passed over, and what was verified cannot change.
///
/// Source: docs/spec/transparency.md, section 10.
public struct LogMonitor<Storage: LogStorage>: Sendable {
  /// What is asked of entries.
  public struct Rules: Sendable {
    /// Whether entries must be signed statements; logs of other things have other entries.
    public var areEntriesStatements = true
    /// The node whose entries must be known.
    public var nodeKey: NodePublicKey?
    /// Whether an entry, by its signed bytes, is one that the own node gave out.
    public var isOwn: @Sendable (SignedEntry) async throws -> Bool = { _ in false }

    public init() {}
  }

  public struct Round: Sendable {
    public internal(set) var alarms: [MonitorAlarm] = []
    /// Why something could not be looked at.
    public internal(set) var failures: [String] = []
    /// What can only be compared when the log has grown.
    public internal(set) var notes: [String] = []
    /// Of entries, since the round before.
    public internal(set) var entries: UInt64 = 0
  }

  public let reader: LogReader
  let policy: TrustPolicy
  let rules: Rules
  private let storage: Storage
  /// Alarms about entries in one round; where there are more, the next one goes on behind the last of them.
  static var alarmsMax: Int { 1000 }
  public private(set) var state: MonitorState?

  public var place: String { reader.source.place }

  /// - Throws: if there is a state that is not one.
  public init(_ source: any LogSource, policy: TrustPolicy, rules: Rules, storage: Storage) throws {
    reader = LogReader(source)
    self.policy = policy
    self.rules = rules
    self.storage = storage
    state = try MonitorState.read(source.place, storage)
  }

  /// Looks at the log once. What is wrong does not become part of the state.
  ///
  /// - Parameter report: keeps the alarms of a round, and is told the state that they belong to; nil if it stays as it
  ///   is. The state moves on after it: who is stopped in between repeats alarms, and loses none. Called again where a
  ///   round has more alarms than fit.
  /// - Throws: what `report` throws, if the state cannot be kept, or the task is cancelled.
  public mutating func look(_ report: (Round, MonitorState?) async throws -> Void) async throws {
    var round = Round()
    guard let signed = try await newest(&round) else { return try await report(round, nil) }
    let first = state?.range.size ?? 0
    while true {
      let next = try await read(signed, &round)
      if let next, next.isWhole { round.entries = signed.checkpoint.size - first }
      try await report(round, next)
      guard let next else { return }
      try next.write(place, storage)
      state = next
      if next.isWhole { return }
      round = Round()
    }
  }

  /// The checkpoint to go on to; nil if there is none, or something is wrong with it.
  private func newest(_ round: inout Round) async throws -> SignedCheckpoint? {
    let signed: SignedCheckpoint
    do { signed = try await reader.checkpoint() } catch {
      try Task.checkCancellation()
      note(error, "checkpoint", &round)
      return nil
    }
    guard judge(signed, &round) else { return nil }
    guard let known = state else { return signed }
    guard signed.checkpoint.size >= known.checkpoint.size else {
      round.alarms.append(
        MonitorAlarm(
          .rollback, place, "the log has \(signed.checkpoint.size) entries, and had \(known.checkpoint.size)",
          [("known", known.signed.bytes), ("seen", signed.bytes)]))
      return nil
    }
    guard signed.checkpoint.size == known.checkpoint.size else { return signed }
    if signed.checkpoint.root != known.checkpoint.root {
      round.alarms.append(.fork(place, known.signed, signed, at: place))
      return nil
    }
    return known.isWhole ? nil : signed
  }

  /// Whether it is a checkpoint of the log that was promised, and of no other.
  private func judge(_ signed: SignedCheckpoint, _ round: inout Round) -> Bool {
    let verdict: PolicyVerdict
    do throws(CheckpointRejection) { verdict = try policy.evaluate(signed) } catch {
      round.alarms.append(MonitorAlarm(.wrongSignature, place, error.description, [("seen", signed.bytes)]))
      return false
    }
    if let known = state, known.checkpoint.origin != signed.checkpoint.origin {
      round.alarms.append(
        MonitorAlarm(
          .wrongSignature, place, "it is the log \(signed.checkpoint.origin), and was \(known.checkpoint.origin)",
          [("known", known.signed.bytes), ("seen", signed.bytes)]))
      return false
    }
    guard !signed.checkpoint.isImpossible else {
      round.alarms.append(
        MonitorAlarm(.damaged, place, "no entries have the root of some", [("seen", signed.bytes)]))
      return false
    }
    if case .notReached(let shortfall) = verdict.quorum {
      round.alarms.append(MonitorAlarm(.quorum, place, shortfall.description, [("seen", signed.bytes)]))
    }
    return true
  }

  /// Reads the new entries; they must give the new root.
  ///
  /// - Returns: the state behind the last of them, or behind the last one that there was room for an alarm about; nil
  ///   if something is wrong, which the round says.
  private func read(_ signed: SignedCheckpoint, _ round: inout Round) async throws -> MonitorState? {
    let size = signed.checkpoint.size
    var range = state?.range ?? CompactRange()
    var found: [EntryAlarm] = []
    reading: while range.size < size {
      try Task.checkCancellation()
      guard let path = TilePath(.entries, index: range.size / 256, in: size) else { break }
      do {
        let entries = try await reader.bundle(path).entries
        for entry in entries.dropFirst(Int(range.size % 256)) {
          if let alarm = try await check(entry, range.size) { found.append(alarm) }
          range.append(.leaf(entry))
          // Where the state was not whole, its checkpoint lies on the way.
          if let known = state?.checkpoint, range.size == known.size, range.root != known.root {
            try await explain(signed, &round)
            return nil
          }
          if found.count == LogMonitor.alarmsMax { break reading }
        }
      } catch let problem as LogReader.Problem {
        note(problem, path.description, &round)
        return nil
      } catch let error as LogReadError {
        // Of the node's receipts, not of the log.
        round.failures.append("the entries of \(path) cannot be compared with the node's receipts: \(error)")
        return nil
      }
    }
    guard let next = try await self.next(signed, range, &round) else { return nil }
    // Only now the entries are known to be the log's.
    round.alarms += await proved(found, in: signed)
    try Task.checkCancellation()
    return next
  }

  /// The state behind the entries that `range` has.
  private func next(_ signed: SignedCheckpoint, _ range: CompactRange, _ round: inout Round) async throws
    -> MonitorState?
  {
    if let whole = MonitorState(signed, range) { return whole }
    guard range.size < signed.checkpoint.size, await continuesState(signed) else {
      try await explain(signed, &round)
      return nil
    }
    var tiles = TilesOnDemand(reader)
    do {
      let proof = try await tiles.answer(in: signed.checkpoint.size) { try $0.consistencyProof(from: range.size) }
      if let part = MonitorState(signed, range, proof) { return part }
      try await explain(signed, &round)
    } catch let finding as LogFinding { note(finding, &round) }
    return nil
  }

  /// Whether the tiles lead from the known checkpoint, which may lie behind the entries that were read, to this one.
  private func continuesState(_ signed: SignedCheckpoint) async -> Bool {
    guard let known = state else { return true }
    return if case .holds = await growth(known.signed, signed) { true } else { false }
  }

  /// The entries do not give the root: a fork, unless the tiles prove that the log has only grown.
  private func explain(_ signed: SignedCheckpoint, _ round: inout Round) async throws {
    if let known = state, known.checkpoint.size > 0 {
      switch await growth(known.signed, signed) {
      case .holds: break
      case .unknown(let reason) where reason.isUnread: return round.failures.append(reason.description)
      case .unknown: return round.alarms.append(.fork(place, known.signed, signed, at: place))
      case .fails(let beginning):
        return round.alarms.append(.fork(place, known.signed, signed, at: place, beginning))
      }
    }
    round.alarms.append(
      MonitorAlarm(.damaged, place, "the entries do not add up to the checkpoint's root", [("seen", signed.bytes)]))
  }

  private func note(_ error: any Error, _ path: String, _ round: inout Round) {
    if state == nil, path == "checkpoint", error as? LogReader.Problem == .missing {
      // Not a log, or none yet.
      round.failures.append("\(place): \(LogFinding(path, error))")
    } else {
      note(LogFinding(path, error), &round)
    }
  }

  private func note(_ finding: LogFinding, _ round: inout Round) {
    if finding.isUnread {
      round.failures.append("\(place): \(finding)")
    } else {
      round.alarms.append(
        MonitorAlarm(.damaged, place, finding.description, state.map { [("known", $0.signed.bytes)] } ?? []))
    }
  }
}
