public import Digests
import ModelGraph

/// What a statement is about. The kinds share their frame: ids, model, node, time, commitments.
public enum Claim: Sendable, Equatable {
  case answer(Statement)
  case embedding(EmbeddingStatement)

  public enum Kind: Sendable { case answer, embedding }

  public var kind: Kind {
    switch self {
    case .answer: .answer
    case .embedding: .embedding
    }
  }

  /// Reads a statement of either kind from the payload of an envelope.
  ///
  /// - Throws: ``Rejection`` naming the first member that is not as specified. Nothing is compared
  ///   with anything else here; that is what verification is for.
  public static func parse(_ payload: [UInt8]) throws(Rejection) -> Claim {
    let json = try Rejection.parse(.statement, payload, bytesMax: EvidenceLimits.payloadBytesMax)
    return try Rejection.reading(.statement) { () throws(FieldError) in
      switch Claim.kind(of: json) {
      case .answer: .answer(try Statement(json))
      case .embedding: .embedding(try EmbeddingStatement(json))
      }
    }
  }

  /// The kind that a payload says it is, whatever else is wrong with it.
  public static func kind(of payload: JSON) -> Kind {
    let type = payload["predicateType"]?.string ?? ""
    return type.utf8.elementsEqual(EmbeddingStatement.predicateType.utf8) ? .embedding : .answer
  }

  public var receiptID: String {
    switch self {
    case .answer(let s): s.receiptID
    case .embedding(let s): s.receiptID
    }
  }
  public var responseID: String {
    switch self {
    case .answer(let s): s.responseID
    case .embedding(let s): s.responseID
    }
  }
  public var model: Statement.Model {
    switch self {
    case .answer(let s): s.model
    case .embedding(let s): s.model
    }
  }
  public var node: Statement.Node {
    switch self {
    case .answer(let s): s.node
    case .embedding(let s): s.node
    }
  }
  public var time: String {
    switch self {
    case .answer(let s): s.time
    case .embedding(let s): s.time
    }
  }
  /// nil when nothing is promised.
  public var promise: Statement.Promise? {
    switch self {
    case .answer(let s): s.promise
    case .embedding(let s): s.promise
    }
  }
  public var promptCommitment: Digest<Commitment.Prompt> {
    switch self {
    case .answer(let s): s.input.promptCommitment
    case .embedding(let s): s.input.promptCommitment
    }
  }
  /// The bytes that are signed: canonical JSON.
  public var payload: [UInt8] {
    switch self {
    case .answer(let s): s.payload
    case .embedding(let s): s.payload
    }
  }
}

extension EmbeddingStatement: Equatable {
  /// Byte by byte: no Unicode equivalence.
  public static func == (a: EmbeddingStatement, b: EmbeddingStatement) -> Bool { a.json == b.json }
}

/// The private half of an evidence file, of either kind.
public enum OpenedClaim: Sendable, Equatable {
  case answer(Opening)
  case embedding(EmbeddingOpening)

  public var json: JSON {
    switch self {
    case .answer(let opening): opening.json
    case .embedding(let opening): opening.json
    }
  }

  init(_ value: JSON, path: String) throws(FieldError) {
    self =
      value["vectors"] == nil
      ? .answer(try Opening(value, path: path)) : .embedding(try EmbeddingOpening(value, path: path))
  }
}
