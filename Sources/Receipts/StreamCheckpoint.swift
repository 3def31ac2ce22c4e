public import Digests

/// What a node signs of an answer that is still on its way: the chain over the tokens that have been delivered, and the
/// digest of their text.
///
/// Reading one checks its form only.
///
/// Source: docs/spec/evidence.md, section 13.
public struct StreamCheckpoint: Sendable, Equatable {
  /// All text delivered so far, as UTF-8.
  public enum Text {}

  public let receiptID: String
  /// Tokens all of whose text has been delivered.
  public let deliveredTokens: Int
  /// Those of them that no checkpoint before has named.
  public let tokens: [Int32]
  public let head: Digest<AnswerChain>
  public let text: Digest<Text>
  /// With the first checkpoint of a stream only: what opens the chain and no commitment, 32 bytes.
  public let start: [UInt8]?
  /// With the first checkpoint of a stream only.
  public let publicKey: NodePublicKey?
  /// 64 bytes.
  public let signature: [UInt8]

  /// What is signed.
  public static func message(
    receiptID: String, deliveredTokens: Int, head: Digest<AnswerChain>, text: Digest<Text>
  ) -> [UInt8] {
    DomainTag.streamCheckpoint.digest(
      Array(receiptID.utf8), UInt64(deliveredTokens).bigEndianBytes, head.bytes, text.bytes, as: StreamCheckpoint.self
    ).bytes
  }

  /// Whether `key` made the signature.
  public func isSigned(by key: NodePublicKey) -> Bool {
    key.verifies(
      signature,
      of: StreamCheckpoint.message(receiptID: receiptID, deliveredTokens: deliveredTokens, head: head, text: text))
  }

  public var json: JSON {
    var object = JSONObject()
    object["receiptId"] = .string(receiptID)
    object["deliveredTokens"] = .integer(deliveredTokens)
    object["tokens"] = .array(tokens.map { .integer(Int($0)) })
    object["head"] = .string(head.description)
    object["text"] = .string(text.description)
    if let start { object["start"] = .string(Hex.string(start)) }
    if let publicKey { object["publicKey"] = .string(publicKey.hex) }
    object["signature"] = .string(Base64.string(signature))
    return .object(object)
  }

  /// - Throws: ``FieldError`` naming the first member that is not as specified.
  public init(_ value: JSON, path: String = "evident") throws(FieldError) {
    var fields = try JSONFields(value, path: path)
    receiptID = try fields.identifier("receiptId")
    deliveredTokens = try fields.integer("deliveredTokens", 0...EvidenceLimits.tokensMax)
    tokens = try fields.tokens("tokens")
    head = try fields.digest("head")
    text = try fields.digest("text")
    start = value["start"] == nil ? nil : try fields.hex("start", count: 32...32)
    publicKey = value["publicKey"] == nil ? nil : try fields.publicKey("publicKey")
    signature = try fields.base64("signature", count: 64)
    try fields.finish()
  }

  fileprivate init(
    receiptID: String, deliveredTokens: Int, tokens: [Int32], head: Digest<AnswerChain>, text: Digest<Text>,
    start: [UInt8]?, key: NodeSigningKey
  ) {
    self.receiptID = receiptID
    self.deliveredTokens = deliveredTokens
    self.tokens = tokens
    self.head = head
    self.text = text
    self.start = start
    publicKey = start == nil ? nil : key.publicKey
    signature = key.sign(
      StreamCheckpoint.message(receiptID: receiptID, deliveredTokens: deliveredTokens, head: head, text: text))
  }
}

/// Signs a stream while it is delivered.
public struct StreamSigner: Sendable {
  public static let everyDefault = 16
  public static let everyMax = 4096

  private let key: NodeSigningKey
  private let receiptID: String
  private let start: [UInt8]
  private let every: Int
  private var chain: AnswerChain
  private var tokens: [Int32] = []
  private var text = StreamingDigest<StreamCheckpoint.Text>()
  private var isFirst = true

  /// - Parameters:
  ///   - salt: that of the answer's commitments.
  ///   - every: tokens between two checkpoints, 1…``everyMax``.
  init(key: NodeSigningKey, salt: Salt, receiptID: String, every: Int) {
    precondition((1...StreamSigner.everyMax).contains(every))
    self.key = key
    self.receiptID = receiptID
    self.every = every
    start = salt.derived(for: .streamStart)
    chain = AnswerChain(salt: salt, receiptID: receiptID)
  }

  /// Text that goes out now.
  public mutating func append(text bytes: [UInt8]) { text.update(bytes) }

  /// Tokens all of whose text is out with what was appended last.
  public mutating func append(tokens delivered: some Sequence<Int32>) {
    for token in delivered {
      chain.append(token)
      tokens.append(token)
    }
  }

  /// Whether enough tokens have been delivered for another checkpoint.
  public var isDue: Bool { tokens.count >= every }

  /// Signs what has been delivered.
  public mutating func checkpoint() -> StreamCheckpoint {
    defer {
      tokens = []
      isFirst = false
    }
    return StreamCheckpoint(
      receiptID: receiptID, deliveredTokens: chain.count, tokens: tokens, head: chain.head, text: text.finalized(),
      start: isFirst ? start : nil, key: key)
  }
}

extension ReceiptSigner {
  /// Signs the stream of an answer that ``sign(_:salt:)`` signs when it has ended.
  public func stream(salt: Salt, receiptID: String, every: Int) -> StreamSigner {
    StreamSigner(key: key, salt: salt, receiptID: receiptID, every: every)
  }
}
