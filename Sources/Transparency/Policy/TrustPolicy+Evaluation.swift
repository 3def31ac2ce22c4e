extension TrustPolicy {
  /// Verifies the signatures of a checkpoint and counts its witnesses.
  ///
  /// - Parameter furtherLogs: keys of logs that are known from elsewhere, of type 0x01, for policies without any.
  /// - Returns: the verdict, which may be that too few witnesses have cosigned.
  /// - Throws: if no log of the policy signed the checkpoint, or a signature of a known key is wrong.
  public func evaluate(
    _ signed: SignedCheckpoint, furtherLogs: [NoteVerifierKey] = []
  ) throws(CheckpointRejection) -> PolicyVerdict {
    let keys = logs.map(\.key) + furtherLogs + witnesses.map(\.key)
    let (log, cosignatures) = try signed.verified(by: keys)
    var earliest: [NoteVerifierKey: UInt64] = [:]
    for cosignature in cosignatures {
      guard let timestamp = cosignature.timestamp else { continue }
      earliest[cosignature.key] = min(timestamp, earliest[cosignature.key] ?? .max)
    }
    return PolicyVerdict(
      checkpoint: signed.checkpoint, log: log,
      witnesses: witnesses.map {
        PolicyVerdict.Witness(name: $0.name, key: $0.key, timestamp: earliest[$0.key])
      },
      quorum: verdict(earliest))
  }

  private func verdict(_ earliest: [NoteVerifierKey: UInt64]) -> PolicyVerdict.Quorum {
    guard case .member(let name) = quorum else { return .notAskedFor }
    let all = witnessed(by: earliest, until: .max)
    guard all.contains(name) else { return .notReached(shortfall(of: name, all)) }
    // The first time at which those who had cosigned by then were enough.
    let times = Set(earliest.values).sorted()
    var (low, high) = (0, times.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if witnessed(by: earliest, until: times[middle]).contains(name) { high = middle } else { low = middle + 1 }
    }
    return .reached(timestamp: times[low])
  }

  /// The names of witnesses that cosigned until then, and of groups that are satisfied by them.
  private func witnessed(by earliest: [NoteVerifierKey: UInt64], until time: UInt64) -> Set<ByteText> {
    var names: Set<ByteText> = []
    for witness in witnesses {
      if let timestamp = earliest[witness.key], timestamp <= time { names.insert(witness.name) }
    }
    // Each group comes after its members.
    for group in groups where group.members.count(where: names.contains) >= group.threshold {
      names.insert(group.name)
    }
    return names
  }

  private func shortfall(of name: ByteText, _ witnessed: Set<ByteText>) -> QuorumShortfall {
    guard let group = groups.first(where: { $0.name == name }) else {
      return QuorumShortfall(name: name, wanted: 1, found: 0, missing: [name])
    }
    let missing = group.members.filter { !witnessed.contains($0) }
    return QuorumShortfall(
      name: name, wanted: group.threshold, found: group.members.count - missing.count, missing: missing)
  }
}
