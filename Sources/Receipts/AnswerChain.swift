public import Digests

/// A hash chain over the tokens that were delivered, one link per token.
///
/// The head after n tokens depends on all n and on their order, so a stream that was cut still
/// leaves something to check for the part that arrived.
///
/// Source: docs/spec/evidence.md, section 6.
public struct AnswerChain: Sendable, Equatable {
  public private(set) var head: Digest<AnswerChain>
  /// Tokens so far.
  public private(set) var count = 0

  public init(salt: Salt, receiptID: String) {
    head = DomainTag.streamStart.digest(salt.derived(for: .streamStart), Array(receiptID.utf8))
  }

  /// - Parameter start: the salt of the chain alone, opened.
  /// - Returns: nil unless there are 32 bytes.
  public init?(start: [UInt8], receiptID: String) {
    guard start.count == 32 else { return nil }
    head = DomainTag.streamStart.digest(start, Array(receiptID.utf8))
  }

  /// The chain over all of `tokens`.
  public init(salt: Salt, receiptID: String, tokens: some Sequence<Int32>) {
    self.init(salt: salt, receiptID: receiptID)
    for token in tokens { append(token) }
  }

  public mutating func append(_ token: Int32) {
    head = DomainTag.streamLink.digest(head.bytes, TokenDigest.bytes([token]))
    count += 1
  }
}
