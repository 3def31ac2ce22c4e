import Inference
public import ModelGraph
public import Receipts

/// What a caller asks a node for.
public struct AnswerRequest: Sendable {
  /// Roles and texts, or a text to continue: exactly what the receipt commits to.
  public var request: Request
  /// The model's name as the caller wrote it.
  public var model: String
  public var parameters: SamplingParameters
  /// The caller's contribution to the seed stream; nil lets the node draw one unless a seed is set.
  public var nonce: [UInt8]?
  /// Tokens between two signed checkpoints of the stream, 1…`StreamSigner.everyMax`; nil for none.
  public var checkpointEvery: Int?

  public init(
    request: Request, model: String, parameters: SamplingParameters, nonce: [UInt8]?, checkpointEvery: Int? = nil
  ) {
    precondition(checkpointEvery.map { (1...StreamSigner.everyMax).contains($0) } ?? true)
    self.checkpointEvery = checkpointEvery
    self.request = request
    self.model = model
    self.parameters = parameters
    self.nonce = nonce
  }
}

/// Why a node does not start on a request. The caller can change something about each of these.
public enum AnswerRefusal: Error, Sendable, CustomStringConvertible {
  case promptTooLong(tokens: Int, contextLength: Int)
  case emptyPrompt
  case templateFailed(String)
  case noChatTemplate
  case tokenOutsideVocabulary(Int32, vocabularySize: Int)
  case cacheTooSmall(bytes: Int, max: Int)
  case notADecoder
  case notAnEncoder
  case emptyInput(index: Int)
  case inputTooLong(index: Int, tokens: Int, contextLength: Int)
  case inputOutsideVocabulary(index: Int, token: Int32, vocabularySize: Int)
  case tooManyTokens(Int, max: Int)
  case tooManyElements(inputs: Int, dimensions: Int, max: Int)
  case dimensionsOutOfRange(Int, max: Int)
  case queueFull
  case shuttingDown

  public var description: String {
    switch self {
    case .notADecoder: "the model makes embeddings, not text; use /v1/embeddings"
    case .notAnEncoder: "the model makes text, not embeddings; serve an encoder such as all-MiniLM-L6-v2"
    case .emptyInput(let i): "input \(i) has no tokens"
    case .inputTooLong(let i, let tokens, let context):
      "input \(i) has \(tokens) tokens; the model's context holds \(context), and nothing is cut silently"
    case .inputOutsideVocabulary(let i, let token, let size):
      "input \(i) has token \(token), which is outside the vocabulary of \(size)"
    case .tooManyTokens(let tokens, let max): "the inputs have \(tokens) tokens together; at most \(max) are accepted"
    case .tooManyElements(let inputs, let dimensions, let max):
      "\(inputs) embeddings of \(dimensions) elements are more than \(max) elements; send fewer inputs at once"
    case .dimensionsOutOfRange(let n, let max): "\(n) dimensions were asked for; the model has 1 to \(max)"
    case .promptTooLong(let tokens, let context):
      "the prompt has \(tokens) tokens; with room for an answer the model's context holds \(context)"
    case .emptyPrompt: "the prompt has no tokens"
    case .templateFailed(let why): "the model's chat template does not accept these messages: \(why)"
    case .noChatTemplate: "the model has no chat template; use /v1/completions"
    case .tokenOutsideVocabulary(let id, let size): "token \(id) is outside the vocabulary of \(size)"
    case .cacheTooSmall(let bytes, let max):
      "the request needs \(bytes) bytes for keys and values; this node has \(max)"
    case .queueFull: "the queue is full"
    case .shuttingDown: "the node is shutting down"
    }
  }
}

/// An answer under way.
public struct RunningAnswer: Sendable {
  public let receiptID: String
  public let responseID: String
  /// Seconds since 1970.
  public let created: Int
  /// Pieces of text, then exactly one `finished` or `failed`. May be read once.
  public let events: AsyncStream<AnswerEvent>
  /// Stops the answer; what was produced is still signed and kept.
  public let cancel: @Sendable () -> Void
}

public enum AnswerEvent: Sendable {
  /// A non-empty piece of the answer, and now and then what the node signs of all text up to its end.
  case text(String, StreamCheckpoint?)
  /// The statement is signed and kept.
  case finished(FinishedAnswer)
  case failed(String)
}

/// An answer that ended, with its evidence.
public struct FinishedAnswer: Sendable {
  public let text: String
  /// `stop`, `length` or `cancelled`.
  public let finishReason: String
  public let promptTokens: Int
  /// Of those, the ones that earlier requests had computed. Says how the answer was made, which no statement does.
  public let promptTokensReused: Int
  public let outputTokens: Int
  /// What the node signs of the whole stream, where checkpoints were asked for.
  public let checkpoint: StreamCheckpoint?
  public let signed: SignedEvidence

  /// The whole evidence file.
  public var evidence: [UInt8] { signed.evidence }
}

/// A receipt, and the evidence file around it.
public struct SignedEvidence: Sendable {
  public let receipt: SignedReceipt
  /// The whole evidence file.
  public let evidence: [UInt8]
}

extension AnswerRefusal {
  init(_ rejection: GenerationRejection) {
    self =
      switch rejection {
      case .emptyPrompt: .emptyPrompt
      case .tokenOutsideVocabulary(let id, _, let size): .tokenOutsideVocabulary(id, vocabularySize: size)
      case .promptTooLong(let tokens, let context): .promptTooLong(tokens: tokens, contextLength: context)
      case .cacheTooSmall(let bytes, let max): .cacheTooSmall(bytes: bytes, max: max)
      case .queueFull: .queueFull
      case .shuttingDown: .shuttingDown
      case .missingStreamKey: preconditionFailure("every answer has a stream key")
      }
  }
}
