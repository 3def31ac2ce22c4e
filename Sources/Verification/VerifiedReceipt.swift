public import Receipts

/// A receipt for which everything that was asked has been checked and has passed.
///
/// Only the verifier makes one: to hold a value of this type is to have a verdict.
public struct VerifiedReceipt: Sendable {
  public let claim: Claim
  /// nil when only the receipt was asked about.
  public let opening: OpenedClaim?
  /// What has been established.
  public let levels: Set<Level>

  init(claim: Claim, opening: OpenedClaim?, levels: Set<Level>) {
    self.claim = claim
    self.opening = opening
    self.levels = levels
  }
}
