/// A statement in its envelope, as a node hands it out.
///
/// Reading one proves nothing: neither the signature nor any claim has been checked. What has been
/// checked is a `VerifiedReceipt`, which only the verifier makes.
public struct SignedReceipt: Sendable, Equatable {
  public let envelope: Envelope
  public let claim: Claim

  /// - Throws: ``Rejection`` when the payload is not a statement.
  public init(_ envelope: Envelope) throws(Rejection) {
    self.envelope = envelope
    claim = try Claim.parse(envelope.payload)
  }

  /// - Throws: ``Rejection`` naming the part and the member that is not as specified.
  public static func parse(_ bytes: [UInt8]) throws(Rejection) -> SignedReceipt {
    try SignedReceipt(try Envelope.parse(bytes))
  }

  /// The receipt as a file: canonical JSON.
  public var bytes: [UInt8] { envelope.bytes }
}
