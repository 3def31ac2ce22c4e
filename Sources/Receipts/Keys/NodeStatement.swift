public import Digests

/// What a node says in an envelope that a log takes.
///
/// Reading one checks its form only.
///
/// Source: docs/spec/transparency.md, section 7.
public enum NodeStatement: Sendable, Equatable {
  case claim(Claim)
  case succession(KeySuccession)
  case revocation(KeyRevocation)

  /// All that a log takes.
  public static let predicateTypes = [
    Statement.predicateType, EmbeddingStatement.predicateType, KeySuccession.predicateType,
    KeyRevocation.predicateType,
  ]

  /// - Throws: ``Rejection`` naming the first member that is not as specified.
  public static func parse(_ payload: [UInt8]) throws(Rejection) -> NodeStatement {
    try read(Rejection.parse(.statement, payload, bytesMax: EvidenceLimits.payloadBytesMax))
  }

  fileprivate static func read(_ json: JSON) throws(Rejection) -> NodeStatement {
    try Rejection.reading(.statement) { () throws(FieldError) in
      let type = json["predicateType"]?.string ?? ""
      if type.utf8.elementsEqual(KeySuccession.predicateType.utf8) { return .succession(try KeySuccession(json)) }
      if type.utf8.elementsEqual(KeyRevocation.predicateType.utf8) { return .revocation(try KeyRevocation(json)) }
      if type.utf8.elementsEqual(EmbeddingStatement.predicateType.utf8) {
        return .claim(.embedding(try EmbeddingStatement(json)))
      }
      return .claim(.answer(try Statement(json)))
    }
  }

  /// The key that must have signed the envelope.
  public var signer: NodePublicKey {
    switch self {
    case .claim(let claim): claim.node.publicKey
    case .succession(let succession): succession.from
    case .revocation(let revocation): revocation.signer
    }
  }

  /// The bytes that are signed: canonical JSON.
  public var payload: [UInt8] {
    switch self {
    case .claim(let claim): claim.payload
    case .succession(let succession): NodeStatement.canonical(succession.json)
    case .revocation(let revocation): NodeStatement.canonical(revocation.json)
    }
  }

  private static func canonical(_ json: JSON) -> [UInt8] {
    guard let bytes = try? json.canonicalBytes() else { preconditionFailure("entries about keys hold strings only") }
    return bytes
  }
}

/// An entry whose form, spelling and signature have been checked.
public struct SignedEntry: Sendable, Equatable {
  public let envelope: Envelope
  public let entry: NodeStatement

  /// Reads what is submitted to a log: exactly the canonical JSON of an envelope.
  public static func parse(_ bytes: [UInt8]) throws(EntryRejection) -> SignedEntry {
    guard bytes.count <= Statement.Promise.envelopeBytesMax else { throw .tooLong(byteCount: bytes.count) }
    let (json, envelope): (JSON, Envelope)
    do throws(Rejection) {
      json = try Rejection.parse(.envelope, bytes, bytesMax: EvidenceLimits.envelopeBytesMax)
      envelope = try Envelope.read(json)
    } catch { throw .malformed(error) }
    guard JSON.isCanonical(bytes, json) else { throw .notCanonical(.envelope) }
    return try SignedEntry(envelope)
  }

  /// - Soundness: what is returned was signed by ``NodeStatement/signer``, and a new key has agreed to be one.
  public init(_ envelope: Envelope) throws(EntryRejection) {
    let json: JSON
    do throws(Rejection) {
      json = try Rejection.parse(.statement, envelope.payload, bytesMax: EvidenceLimits.payloadBytesMax)
      entry = try NodeStatement.read(json)
    } catch { throw .malformed(error) }
    // Every member has one spelling, so this is what `entry` would write.
    guard JSON.isCanonical(envelope.payload, json) else { throw .notCanonical(.statement) }
    let signer = entry.signer
    guard envelope.keyID == signer.id else { throw .keyIDMismatch(stated: envelope.keyID, signer: signer) }
    guard envelope.isSigned(by: signer) else { throw .notSigned(signer) }
    if case .succession(let succession) = entry, !succession.hasConsent { throw .noConsent(succession.to) }
    self.envelope = envelope
  }

  /// Signs an entry about keys with the key that has to.
  public init(signing entry: NodeStatement, with key: NodeSigningKey) {
    precondition(entry.signer == key.publicKey, "only the signer can sign it")
    self.entry = entry
    envelope = Envelope(signing: entry.payload, with: key)
  }
}

/// Why an envelope is nothing that a log takes.
public enum EntryRejection: Error, Equatable, Sendable, CustomStringConvertible {
  case tooLong(byteCount: Int)
  case malformed(Rejection)
  case notCanonical(EvidencePart)
  case keyIDMismatch(stated: Digest<NodePublicKey>, signer: NodePublicKey)
  case notSigned(NodePublicKey)
  /// The new key of a succession did not agree to it.
  case noConsent(NodePublicKey)

  public var description: String {
    switch self {
    case .tooLong(let count):
      "the envelope is \(count) bytes long; an entry has at most \(Statement.Promise.envelopeBytesMax)"
    case .malformed(let rejection): rejection.description
    case .notCanonical(let part): "the \(part.rawValue) is not canonical JSON"
    case .keyIDMismatch(let stated, let signer):
      "the envelope names the key \(stated.hex), and it must be signed by \(signer)"
    case .notSigned(let key): "the signature was not made by \(key) over these bytes"
    case .noConsent(let key): "the new key \(key) did not sign its consent"
    }
  }
}
