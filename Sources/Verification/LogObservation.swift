public import Transparency

/// What somebody saw in a log when he looked a receipt up: a value, without the network it came from.
///
/// Soundness: that the entry is there shows itself. That it is *not* there is the word of whoever went through all
/// entries under the checkpoint's root; he belongs to the machine that you trust.
public struct LogObservation: Sendable {
  public enum Finding: Sendable {
    /// The entry is in the tree of the checkpoint's size.
    case included(InclusionProof)
    /// None of the entries under the checkpoint's root is it.
    case absent
  }

  public let signed: SignedCheckpoint
  public let finding: Finding
  /// What the first entries under the checkpoint's root add up to, by their number.
  public let roots: [UInt64: MerkleHash]
  /// Seconds since 1970 when the log gave this checkpoint as its newest one, by the clock of whoever asked.
  public let time: Int64

  public init(signed: SignedCheckpoint, finding: Finding, roots: [UInt64: MerkleHash] = [:], time: Int64) {
    self.signed = signed
    self.finding = finding
    self.roots = roots
    self.time = time
  }
}
