/// What a policy makes of a checkpoint whose signatures were verified.
public struct PolicyVerdict: Sendable, Equatable {
  /// Whether a witness of the policy has cosigned.
  public struct Witness: Sendable, Equatable {
    /// The name within the policy.
    public let name: ByteText
    public let key: NoteVerifierKey
    /// Seconds since 1970 of its earliest cosignature of this checkpoint; nil without one.
    public let timestamp: UInt64?
    public var hasCosigned: Bool { timestamp != nil }
  }

  public enum Quorum: Sendable, Equatable {
    /// The policy asks for no witness: the log alone stands behind its checkpoint.
    case notAskedFor
    /// Enough witnesses had seen the checkpoint at that time, in seconds since 1970, as they say themselves.
    case reached(timestamp: UInt64)
    case notReached(QuorumShortfall)
  }

  public let checkpoint: Checkpoint
  /// The key of the log that signed.
  public let log: NoteVerifierKey
  /// Every witness of the policy, in its order.
  public let witnesses: [Witness]
  public let quorum: Quorum

  /// Whether the policy considers the checkpoint valid.
  public var isAccepted: Bool { if case .notReached = quorum { false } else { true } }
}

/// Which member of the quorum is missing what.
public struct QuorumShortfall: Sendable, Equatable, CustomStringConvertible {
  /// The witness or the group that the quorum names.
  public let name: ByteText
  /// Members that must have witnessed: 1 for a witness.
  public let wanted: Int
  public let found: Int
  /// Members that have not; the name itself for a witness.
  public let missing: [ByteText]

  public init(name: ByteText, wanted: Int, found: Int, missing: [ByteText]) {
    self.name = name
    self.wanted = wanted
    self.found = found
    self.missing = missing
  }

  public var description: String {
    "the quorum \(name) has \(found) of \(wanted) cosignatures that it needs; missing: "
      + missing.map(\.description).joined(separator: ", ")
  }
}
