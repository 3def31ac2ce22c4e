import Digests
import HTTPTypes
import Hummingbird
import Logging
import NIOCore
import Node

/// `POST /v1/chat/completions` and `/v1/completions`.
struct GenerationRoutes: Sendable {
  let node: Node
  let options: ServerOptions

  func add(to router: Router<BasicRequestContext>) {
    router.post("/v1/chat/completions") { request, context in
      try await generate(request, context, .chat)
    }
    router.post("/v1/completions") { request, context in
      try await generate(request, context, .completion)
    }
  }

  private func generate(
    _ request: Request, _ context: BasicRequestContext, _ endpoint: GenerationRequest.Endpoint
  ) async throws -> Response {
    var request = request
    let body = try await request.json(bytesMax: options.bodyBytesMax)
    let wanted = try GenerationRequest(
      body, endpoint: endpoint, nonceHeader: request.headers[.evidentNonce], defaultMaxTokens: node.contextLength)
    guard wanted.model == node.model.name || wanted.model == node.model.digestText else {
      throw APIError.modelNotFound(wanted.model, known: [node.model.name])
    }
    let signing = try StreamHeader(request.headers[.evidentStream], stream: wanted.stream)
    let answer = try start(wanted, signing)
    let bodies = ResponseBodies(
      endpoint: endpoint, answer: answer, model: wanted.model, receiptURL: "/v1/receipts/\(answer.receiptID)",
      includeUsage: wanted.includeUsage)
    var response =
      wanted.stream
      ? stream(answer, AnswerStream(bodies), request, context.logger) : try await whole(answer, bodies, request)
    response.headers[.receiptID] = answer.receiptID
    if let signing { response.headers[.evidentStream] = signing.text }
    // Watching for the client to go away uses up the connection.
    response.headers[.connection] = "close"
    return response
  }

  private func start(_ wanted: GenerationRequest, _ signing: StreamHeader?) throws -> RunningAnswer {
    do {
      return try node.answer(
        AnswerRequest(
          request: wanted.request, model: wanted.model, parameters: wanted.parameters, nonce: wanted.nonce,
          checkpointEvery: signing?.every))
    } catch let refusal as AnswerRefusal {
      throw APIError(refusal)
    }
  }

  private func whole(_ answer: RunningAnswer, _ bodies: ResponseBodies, _ request: Request) async throws -> Response {
    let finished = try await request.body.consumeWithInboundCloseHandler { _ in
      for await event in answer.events {
        switch event {
        case .text: continue
        case .finished(let finished): return finished
        case .failed(let message): throw APIError(.internalServerError, message, type: "server_error")
        }
      }
      throw APIError(.internalServerError, "the answer ended without a result", type: "server_error")
    } onInboundClosed: {
      answer.cancel()
    }
    return .json(bodies.whole(finished))
  }

  /// Server-sent events. A client that goes away cancels the answer; what was delivered is still
  /// signed and kept.
  private func stream(
    _ answer: RunningAnswer, _ stream: AnswerStream, _ request: Request, _ logger: Logger
  ) -> Response {
    Response(
      status: .ok, headers: [.contentType: "text/event-stream; charset=utf-8", .cacheControl: "no-cache"],
      body: ResponseBody { writer in
        do {
          try await request.body.consumeWithInboundCloseHandler { _ in
            let opening = stream.opening
            if !opening.isEmpty { try await writer.write(ByteBuffer(bytes: opening)) }
            for await event in answer.events {
              if case .failed(let message) = event {
                logger.error("an answer failed", metadata: ["receipt": "\(answer.receiptID)", "error": "\(message)"])
              }
              try await writer.write(ByteBuffer(bytes: stream.events(of: event)))
            }
          } onInboundClosed: {
            answer.cancel()
          }
          try await writer.finish(nil)
        } catch {
          answer.cancel()
          throw error
        }
      })
  }
}

extension HTTPField.Name {
  static let receiptID = HTTPField.Name("X-Receipt-Id")!
  static let requestID = HTTPField.Name("X-Request-Id")!
  static let evidentStream = HTTPField.Name("X-Evident-Stream")!
  static let evidentNonce = HTTPField.Name("X-Evident-Nonce")!
}
