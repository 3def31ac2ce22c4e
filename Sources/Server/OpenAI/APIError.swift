import Digests
import HTTPTypes
import Hummingbird
import NIOCore
import Node

/// An error in the shape that OpenAI clients read: all four keys are always present.
struct APIError: Error, Equatable {
  let status: HTTPResponse.Status
  let message: String
  let type: String
  let param: String?
  let code: String?
  var retryAfterSeconds: Int?

  init(
    _ status: HTTPResponse.Status, _ message: String, type: String = "invalid_request_error", param: String? = nil,
    code: String? = nil, retryAfterSeconds: Int? = nil
  ) {
    self.status = status
    self.message = message
    self.type = type
    self.param = param
    self.code = code
    self.retryAfterSeconds = retryAfterSeconds
  }

  var json: JSON {
    [
      "error": [
        "message": .string(message), "type": .string(type), "param": param.map { .string($0) } ?? .null,
        "code": code.map { .string($0) } ?? .null,
      ]
    ]
  }

  static func invalid(_ param: String, _ message: String) -> APIError { APIError(.badRequest, message, param: param) }

  static func unsupported(_ param: String, _ why: String) -> APIError {
    APIError(.badRequest, "\(param) is not supported: \(why)", param: param, code: "unsupported_parameter")
  }

  static func modelNotFound(_ name: String, known: [String]) -> APIError {
    APIError(
      .notFound, "the model '\(name)' does not exist here; this server has: \(known.joined(separator: ", "))",
      param: "model", code: "model_not_found")
  }

  static let queueFull = APIError(
    .tooManyRequests, "the queue is full; try again shortly", type: "rate_limit_error", code: "queue_full",
    retryAfterSeconds: 1)

  static let shuttingDown = APIError(
    .serviceUnavailable, "the server is shutting down", type: "server_error", code: "shutting_down",
    retryAfterSeconds: 5)
}

extension APIError: HTTPResponseError {
  func response(from request: Request, context: some RequestContext) -> Response {
    var response = Response.json(json, status: status)
    if let retryAfterSeconds { response.headers[.retryAfter] = String(retryAfterSeconds) }
    return response
  }
}

extension Response {
  /// A JSON body with its length and content type.
  static func json(_ value: JSON, status: HTTPResponse.Status = .ok) -> Response {
    Response(
      status: status, headers: [.contentType: "application/json"],
      body: ResponseBody(byteBuffer: ByteBuffer(string: value.text())))
  }
}

extension APIError {
  /// What a node's refusal is over HTTP.
  init(_ refusal: AnswerRefusal) {
    switch refusal {
    case .queueFull: self = .queueFull
    case .shuttingDown: self = .shuttingDown
    case .promptTooLong, .cacheTooSmall:
      self.init(.badRequest, refusal.description, param: "messages", code: "context_length_exceeded")
    case .emptyPrompt, .templateFailed, .noChatTemplate:
      self.init(.badRequest, refusal.description, param: "messages")
    case .notADecoder, .notAnEncoder:
      self.init(.badRequest, refusal.description, param: "model", code: "model_not_supported")
    case .emptyInput, .inputOutsideVocabulary, .tooManyElements:
      self.init(.badRequest, refusal.description, param: "input")
    case .inputTooLong, .tooManyTokens:
      self.init(.badRequest, refusal.description, param: "input", code: "context_length_exceeded")
    case .dimensionsOutOfRange: self.init(.badRequest, refusal.description, param: "dimensions")
    case .tokenOutsideVocabulary: self.init(.badRequest, refusal.description, param: "logit_bias")
    }
  }
}
