public import Transparency

extension LogMonitor {
  enum Growth {
    case holds
    /// With what shows it to others; nil where the tiles at hand do not add up to the larger tree.
    case fails(TreeBeginning?)
    case unknown(LogFinding)
  }

  /// Whether the log's tiles prove that one checkpoint is the beginning of the other.
  func growth(_ older: SignedCheckpoint, _ newer: SignedCheckpoint) async -> Growth {
    let (old, new) = (older.checkpoint, newer.checkpoint)
    if old.isImpossible || new.isImpossible { return .fails(nil) }
    if old.size == new.size { return old.root == new.root ? .holds : .fails(nil) }
    if old.size == 0 { return .holds }
    var tiles = TilesOnDemand(reader)
    let proof: ConsistencyProof
    do { proof = try await tiles.answer(in: new.size) { try $0.consistencyProof(from: old.size) } } catch {
      return .unknown(error as? LogFinding ?? LogFinding("tile", error))
    }
    if (try? proof.verify(oldRoot: old.root, newRoot: new.root)) != nil { return .holds }
    let root = try? await tiles.answer(in: new.size) { try $0.root(ofFirst: old.size) }
    return .fails(root.flatMap { TreeBeginning($0, proof, refuting: old, in: new) })
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
    let isLonger = other.checkpoint.size > known.checkpoint.size
    let (older, newer) = isLonger ? (known.signed, other) : (other, known.signed)
    switch await growth(older, newer) {
    case .holds: break
    case .fails(let beginning):
      round.alarms.append(.fork(place, known.signed, other, at: elsewhere, beginning))
    case .unknown(let finding):
      let (seen, have) = (other.checkpoint.size, known.checkpoint.size)
      if finding.isUnread {
        round.failures.append("the \(seen) entries at \(elsewhere) are not compared with \(place): \(finding)")
      } else if isLonger {
        round.notes.append(
          "\(place) shows \(have) entries, and \(elsewhere) has \(seen); they are compared when \(place) serves the "
            + "tiles of so many (\(finding))")
      } else {
        round.notes.append(
          "\(elsewhere) has \(seen) entries; \(place) has \(have), and does not serve the tiles to compare them by "
            + "(\(finding))")
      }
    }
    return round
  }
}
