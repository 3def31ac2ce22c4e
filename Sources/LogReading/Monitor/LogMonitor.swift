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
  private let rules: Rules
  private let storage: Storage
  /// Alarms about entries in one round.
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
  /// - Throws: if the state cannot be kept, or the task is cancelled.
  public mutating func look() async throws -> Round {
    var round = Round()
    let signed: SignedCheckpoint
    do { signed = try await reader.checkpoint() } catch {
      try Task.checkCancellation()
      note(error, "checkpoint", &round)
      return round
    }
    guard judge(signed, &round) else { return round }
    if let known = state {
      guard signed.checkpoint.size >= known.checkpoint.size else {
        round.alarms.append(
          MonitorAlarm(
            .rollback, place, "the log has \(signed.checkpoint.size) entries, and had \(known.checkpoint.size)",
            [("known", known.signed.bytes), ("seen", signed.bytes)]))
        return round
      }
      if signed.checkpoint.size == known.checkpoint.size {
        if signed.checkpoint.root != known.checkpoint.root {
          round.alarms.append(.fork(place, known.signed, signed, at: place))
        }
        return round
      }
    }
    try await advance(to: signed, &round)
    return round
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
  private mutating func advance(to signed: SignedCheckpoint, _ round: inout Round) async throws {
    let size = signed.checkpoint.size
    var range = state?.range ?? CompactRange()
    let first = range.size
    var found: [MonitorAlarm] = []
    while range.size < size {
      try Task.checkCancellation()
      guard let path = TilePath(.entries, index: range.size / 256, in: size) else { break }
      do {
        let entries = try await reader.bundle(path).entries
        for entry in entries.dropFirst(Int(range.size % 256)) {
          if found.count < LogMonitor.alarmsMax { found += try await check(entry, range.size) }
          range.append(.leaf(entry))
        }
      } catch let problem as LogReader.Problem {
        return note(problem, path.description, &round)
      } catch let error as LogReadError {
        // Of the node's receipts, not of the log.
        return round.failures.append("the entries of \(path) cannot be compared with the node's receipts: \(error)")
      }
    }
    guard let next = MonitorState(signed, range) else {
      return try await explain(signed, &round)
    }
    // Only now the entries are known to be the log's.
    round.alarms += found
    round.entries = size - first
    try next.write(place, storage)
    state = next
  }

  /// The entries do not give the root: a fork, unless the tiles prove that the log has only grown.
  private func explain(_ signed: SignedCheckpoint, _ round: inout Round) async throws {
    if let known = state, known.checkpoint.size > 0 {
      switch await continues(known.signed, signed) {
      case .holds: break
      case .unknown(let reason) where reason.isUnread: return round.failures.append(reason.description)
      case .unknown, .fails: return round.alarms.append(.fork(place, known.signed, signed, at: place))
      }
    }
    round.alarms.append(
      MonitorAlarm(.damaged, place, "the entries do not add up to the checkpoint's root", [("seen", signed.bytes)]))
  }

  /// Whether a checkpoint that was seen elsewhere, at a witness or another address of the log, is of the same history.
  public func compare(_ other: SignedCheckpoint, from elsewhere: String) async -> Round {
    var round = Round()
    guard let known = state, known.checkpoint.origin == other.checkpoint.origin else { return round }
    let keys = policy.logs.map(\.key)
    do throws(CheckpointRejection) { _ = try other.verified(by: keys) } catch {
      round.alarms.append(MonitorAlarm(.wrongSignature, elsewhere, error.description, [("seen", other.bytes)]))
      return round
    }
    let (older, newer) =
      known.checkpoint.size <= other.checkpoint.size ? (known.signed, other) : (other, known.signed)
    switch await continues(older, newer) {
    case .holds: break
    case .fails: round.alarms.append(.fork(place, known.signed, other, at: elsewhere))
    case .unknown(let finding):
      let text =
        "\(elsewhere) has \(other.checkpoint.size) entries, which cannot be compared yet with the "
        + "\(known.checkpoint.size) at \(place): \(finding)"
      if finding.isUnread { round.failures.append(text) } else { round.notes.append(text) }
    }
    return round
  }

  private enum Growth {
    case holds, fails
    case unknown(LogFinding)
  }

  /// Whether the log's tiles prove that one checkpoint is the beginning of the other.
  private func continues(_ older: SignedCheckpoint, _ newer: SignedCheckpoint) async -> Growth {
    let (old, new) = (older.checkpoint, newer.checkpoint)
    if old.isImpossible || new.isImpossible { return .fails }
    if old.size == new.size { return old.root == new.root ? .holds : .fails }
    if old.size == 0 { return .holds }
    do {
      let tiles = try await reader.tiles(TilePaths.forConsistency(from: old.size, to: new.size))
      let proof: ConsistencyProof
      do { proof = try TileTree(size: new.size, source: tiles).consistencyProof(from: old.size) } catch {
        return .unknown(LogFinding("tile", error.description))
      }
      return (try? proof.verify(oldRoot: old.root, newRoot: new.root)) == nil ? .fails : .holds
    } catch { return .unknown(LogFinding("tile", error)) }
  }

  private func check(_ bytes: [UInt8], _ index: UInt64) async throws -> [MonitorAlarm] {
    guard rules.areEntriesStatements else { return [] }
    let signed: SignedEntry
    do throws(EntryRejection) { signed = try SignedEntry.parse(bytes) } catch {
      let named = rules.nodeKey.map { key in bytes.contains(Array(key.hex.utf8)) } == true
      return [
        MonitorAlarm(
          .badEntry, place, "entry \(index)\(named ? ", which names the own key," : "") is none: \(error)",
          [("entry", bytes)])
      ]
    }
    guard let key = rules.nodeKey, signed.entry.names(key), !(try await rules.isOwn(signed)) else { return [] }
    return [
      MonitorAlarm(
        .foreignEntry, place, "entry \(index) names the node key \(key), and is not among its receipts",
        [("entry", bytes)])
    ]
  }

  private func note(_ error: any Error, _ path: String, _ round: inout Round) {
    let finding = LogFinding(path, error)
    if finding.isUnread || state == nil && path == "checkpoint" && error as? LogReader.Problem == .missing {
      round.failures.append("\(place): \(finding)")
    } else {
      round.alarms.append(
        MonitorAlarm(.damaged, place, finding.description, state.map { [("known", $0.signed.bytes)] } ?? []))
    }
  }
}

extension NodeStatement {
  /// Whether it was signed in the name of that node, or is about its key.
  func names(_ key: NodePublicKey) -> Bool {
    switch self {
    case .claim: signer == key
    case .succession(let succession): succession.from == key || succession.to == key
    case .revocation(let revocation): revocation.key == key || revocation.signer == key
    }
  }
}
