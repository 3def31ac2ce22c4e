public import Receipts

/// A receipt for which everything that was asked has been checked and has passed.
///
/// Only the verifier makes one: to hold a value of this type is to have a verdict.
public struct VerifiedReceipt: Sendable {
  public let statement: Statement
  /// nil when only the receipt was asked about.
  public let opening: Opening?
  /// What has been established.
  public let levels: Set<Level>

  init(statement: Statement, opening: Opening?, levels: Set<Level>) {
    self.statement = statement
    self.opening = opening
    self.levels = levels
  }
}
