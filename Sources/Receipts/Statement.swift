public import Digests
public import ModelGraph

/// What a node asserts about one answer: everything that determined it, as applied.
///
/// An in-toto Statement v1. Members are in the order of the specification and have its names.
///
/// Source: docs/spec/evidence.md, section 3.
public struct Statement: Sendable {
  public static let type = "https://in-toto.io/Statement/v1"
  public static let predicateType = "https://evident.dev/answer/v1"

  public let subject: Subject<Commitment.OutputTokens>
  public let receiptID: String
  public let responseID: String
  public let endpoint: Endpoint
  public let model: Model
  public let input: Input
  public let parameters: SamplingParameters
  public let nonce: Nonce
  public let output: Output
  public let stream: Stream
  public let usage: Usage
  /// nil when nothing is promised.
  public internal(set) var promise: Promise?
  public let node: Node
  /// RFC 3339, UTC, to the second.
  public let time: String

  /// What in-toto says the statement is about: what came out, under the response's name.
  public struct Subject<Output>: Sendable {
    public let name: String
    public let digest: Digest<Output>
    public init(name: String, digest: Digest<Output>) {
      self.name = name
      self.digest = digest
    }
  }

  public enum Endpoint: String, Sendable, CaseIterable {
    case chatCompletions = "chat.completions"
    case completions
  }

  public struct Model: Sendable {
    public let manifest: Digest<ModelManifest>
    /// The arithmetic profile.
    public let arithmetic: String
    /// The name in the request, which is only a name.
    public let requestedName: String
    public init(manifest: Digest<ModelManifest>, arithmetic: String, requestedName: String) {
      self.manifest = manifest
      self.arithmetic = arithmetic
      self.requestedName = requestedName
    }
  }

  public struct Input: Sendable {
    public let tokenCount: Int
    public let tokenCommitment: Digest<Commitment.InputTokens>
    public let promptCommitment: Digest<Commitment.Prompt>
    /// The only value there is: a prompt is never shortened silently.
    public static let truncation = "none"
    public init(
      tokenCount: Int, tokenCommitment: Digest<Commitment.InputTokens>, promptCommitment: Digest<Commitment.Prompt>
    ) {
      self.tokenCount = tokenCount
      self.tokenCommitment = tokenCommitment
      self.promptCommitment = promptCommitment
    }
  }

  /// What the seed stream is bound to besides the request, and who chose it.
  public struct Nonce: Sendable, Equatable {
    public enum Source: String, Sendable, CaseIterable {
      case client
      case node
      /// No nonce: the seed alone, or nothing random at all.
      case none
    }
    public let source: Source
    /// client: 1 to 64 bytes; node: 32; none: empty.
    public let value: [UInt8]
    public init(source: Source, value: [UInt8]) {
      self.source = source
      self.value = value
    }
    public static let none = Nonce(source: .none, value: [])
  }

  public struct Output: Sendable {
    public let tokenCount: Int
    public let tokenCommitment: Digest<Commitment.OutputTokens>
    public let textCommitment: Digest<Commitment.Text>
    public let finish: Finish
    public init(
      tokenCount: Int, tokenCommitment: Digest<Commitment.OutputTokens>, textCommitment: Digest<Commitment.Text>,
      finish: Finish
    ) {
      self.tokenCount = tokenCount
      self.tokenCommitment = tokenCommitment
      self.textCommitment = textCommitment
      self.finish = finish
    }
  }

  /// The tokens that left the node before it signed.
  public struct Stream: Sendable {
    public let deliveredTokens: Int
    public let head: Digest<AnswerChain>
    public init(deliveredTokens: Int, head: Digest<AnswerChain>) {
      self.deliveredTokens = deliveredTokens
      self.head = head
    }
  }

  public struct Usage: Sendable {
    public let promptTokens: Int
    public let completionTokens: Int
    public let totalTokens: Int
    public init(promptTokens: Int, completionTokens: Int, totalTokens: Int) {
      self.promptTokens = promptTokens
      self.completionTokens = completionTokens
      self.totalTokens = totalTokens
    }
  }

  public struct Node: Sendable {
    public let publicKey: NodePublicKey
    /// Name and version of the software that answered.
    public let software: String
    public init(publicKey: NodePublicKey, software: String) {
      self.publicKey = publicKey
      self.software = software
    }
  }
}

/// Why an answer ended.
public enum Finish: String, Sendable, CaseIterable {
  /// The model chose one of its end-of-sequence tokens.
  case endOfSequence
  /// The text came to contain a stop string.
  case stopString
  /// `maxTokens` were generated.
  case tokenLimit
  /// The client went away.
  case clientCancelled
  /// The node gave up: shutdown, deadline.
  case nodeCancelled

  /// The word of the API.
  public var reason: String {
    switch self {
    case .endOfSequence, .stopString: "stop"
    case .tokenLimit: "length"
    case .clientCancelled, .nodeCancelled: "cancelled"
    }
  }
}
