extension TrustPolicy {
  /// What a quorum is worth, in witnesses.
  public struct Strength: Sendable, Equatable {
    /// The fewest witnesses that make the quorum: without so many cosignatures nothing is accepted.
    public let quorumMin: Int
    /// The fewest witnesses that two quorums have in common: so many must cosign two histories, that is lie, to show
    /// someone another record than others. 0 where quorums need not share a witness: then nobody has to lie but the
    /// log, which shows each witness only one of the records.
    public let sharedMin: Int
    /// The fewest witnesses without which there is no quorum: so many must be down for the record to stand still.
    public let blockingMin: Int

    public init(quorumMin: Int, sharedMin: Int, blockingMin: Int) {
      self.quorumMin = quorumMin
      self.sharedMin = sharedMin
      self.blockingMin = blockingMin
    }
  }

  /// nil where no witness is asked for.
  public var strength: Strength? {
    guard case .member(let name) = quorum else { return nil }
    // A name is a member at most once, so the groups are trees and share no witness.
    var strengths: [ByteText: Strength] = [:]
    for witness in witnesses { strengths[witness.name] = Strength(quorumMin: 1, sharedMin: 1, blockingMin: 1) }
    for group in groups {
      let members = group.members.compactMap { strengths[$0] }
      let toBlock = group.members.count - group.threshold + 1
      // Of two choices of k among m members at least 2k − m are the same.
      let toShare = max(0, 2 * group.threshold - group.members.count)
      strengths[group.name] = Strength(
        quorumMin: members.map(\.quorumMin).sorted().prefix(group.threshold).reduce(0, +),
        sharedMin: members.map(\.sharedMin).sorted().prefix(toShare).reduce(0, +),
        blockingMin: members.map(\.blockingMin).sorted().prefix(toBlock).reduce(0, +))
    }
    return strengths[name]
  }

  /// Which witnesses would satisfy the quorum, in words: `2 of (a, b, all of (c, d))`.
  public var quorumText: String {
    guard case .member(let name) = quorum else { return "no witness is asked for" }
    return text(of: name, depth: 0)
  }

  private func text(of name: ByteText, depth: Int) -> String {
    // Names alone from here on: nesting as deep as there are groups would fill screens.
    guard depth < 8, let group = groups.first(where: { $0.name == name }) else { return name.description }
    let members = group.members.map { text(of: $0, depth: depth + 1) }.joined(separator: ", ")
    let wanted =
      switch group.threshold {
      case group.members.count: "all"
      case 1: "any"
      case let number: String(number)
      }
    return "\(wanted) of (\(members))"
  }
}
