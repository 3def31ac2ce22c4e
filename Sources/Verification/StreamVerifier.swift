public import Digests
public import Receipts

/// Checks a signed stream while it arrives: a pure function of what has arrived.
///
/// What it establishes is that the node signed exactly this beginning. Whether the model gives it, only the whole
/// evidence shows.
///
/// Source: docs/spec/evidence.md, section 13.
public struct StreamVerifier: Sendable {
  /// Keys that the caller accepts; empty accepts any.
  private let keys: Set<NodePublicKey>
  private var chain: AnswerChain?
  private var text = StreamingDigest<StreamCheckpoint.Text>()

  /// Whether only some keys are accepted.
  var namesKeys: Bool { !keys.isEmpty }

  /// The key that signs; nil before the first checkpoint.
  public private(set) var key: NodePublicKey?
  public private(set) var receiptID: String?
  public private(set) var checkpoints = 0
  /// Bytes of text that have arrived.
  public private(set) var textBytes = 0
  /// Bytes of text that a checkpoint covers.
  public private(set) var signedBytes = 0
  /// Tokens that a checkpoint covers.
  public var signedTokens: Int { chain?.count ?? 0 }
  /// The head that the last checkpoint signed.
  public private(set) var head: Digest<AnswerChain>?

  /// - Parameters:
  ///   - keys: the ones that the caller accepts; empty accepts any.
  ///   - receiptID: the one that the response's header names, where it is known.
  public init(keys: Set<NodePublicKey> = [], receiptID: String? = nil) {
    self.keys = keys
    self.receiptID = receiptID
  }

  /// The text of a chunk, before the checkpoint that rides on it.
  public mutating func append(_ piece: String) {
    let bytes = Array(piece.utf8)
    text.update(bytes)
    textBytes += bytes.count
  }

  /// - Throws: ``StreamRefutation`` when the node did not sign what has arrived.
  public mutating func check(_ checkpoint: StreamCheckpoint) throws(StreamRefutation) {
    if let receiptID, receiptID != checkpoint.receiptID {
      throw .receiptChanged(from: receiptID, to: checkpoint.receiptID)
    }
    var chain: AnswerChain
    let signer: NodePublicKey
    if let known = self.chain, let key {
      guard checkpoint.start == nil, checkpoint.publicKey == nil else { throw .startRepeated }
      (chain, signer) = (known, key)
    } else {
      guard let start = checkpoint.start, let key = checkpoint.publicKey,
        let opened = AnswerChain(start: start, receiptID: checkpoint.receiptID)
      else { throw .startMissing }
      (chain, signer) = (opened, key)
    }
    guard keys.isEmpty || keys.contains(signer) else { throw .keyNotExpected(signer) }
    for token in checkpoint.tokens { chain.append(token) }
    guard chain.count == checkpoint.deliveredTokens else {
      throw .tokenCountMismatch(stated: checkpoint.deliveredTokens, found: chain.count)
    }
    guard chain.head == checkpoint.head else { throw .headMismatch(stated: checkpoint.head, found: chain.head) }
    let text = self.text.finalized()
    guard text == checkpoint.text else { throw .textMismatch(bytes: textBytes) }
    guard checkpoint.isSigned(by: signer) else { throw .signatureInvalid(signer) }
    (self.chain, key, receiptID) = (chain, signer, checkpoint.receiptID)
    head = chain.head
    signedBytes = textBytes
    checkpoints += 1
  }
}

/// Why a checkpoint does not fit the stream that it came with.
public enum StreamRefutation: Error, Sendable, Equatable, CustomStringConvertible {
  case startMissing
  case startRepeated
  case receiptChanged(from: String, to: String)
  case keyNotExpected(NodePublicKey)
  case tokenCountMismatch(stated: Int, found: Int)
  case headMismatch(stated: Digest<AnswerChain>, found: Digest<AnswerChain>)
  /// The text is not the signed one.
  case textMismatch(bytes: Int)
  case signatureInvalid(NodePublicKey)

  public var description: String {
    switch self {
    case .startMissing: "the first checkpoint has no start and key"
    case .startRepeated: "a later checkpoint has a start or a key of its own"
    case .receiptChanged(let from, let to): "it belongs to the receipt \(to), and the stream to \(from)"
    case .keyNotExpected(let key): "it is signed by \(key), which is none of the keys you named"
    case .tokenCountMismatch(let stated, let found): "it speaks of \(stated) tokens, and \(found) have arrived"
    case .headMismatch(let stated, let found): "the tokens give the chain head \(found), and it says \(stated)"
    case .textMismatch(let bytes): "the \(bytes) bytes of text that have arrived are not the ones it speaks of"
    case .signatureInvalid(let key): "the signature was not made by \(key)"
    }
  }
}
