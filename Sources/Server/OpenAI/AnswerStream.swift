import Digests
import HTTPTypes
public import Node

/// An answer as server-sent events, as the API streams it.
public struct AnswerStream: Sendable {
  private let bodies: ResponseBodies

  init(_ bodies: ResponseBodies) { self.bodies = bodies }

  /// A stream that no server sends: its receipt has no address.
  public init(_ answer: RunningAnswer, model: String, isChat: Bool) {
    bodies = ResponseBodies(
      endpoint: isChat ? .chat : .completion, answer: answer, model: model, receiptURL: nil, includeUsage: false)
  }

  /// What comes before the first text.
  public var opening: [UInt8] { bodies.firstChunk.map(AnswerStream.event) ?? [] }

  public func events(of event: AnswerEvent) -> [UInt8] {
    switch event {
    case .text(let text, let checkpoint): return AnswerStream.event(bodies.textChunk(text, checkpoint))
    case .finished(let finished):
      var out = AnswerStream.event(bodies.finishChunk(finished))
      if bodies.includeUsage { out += AnswerStream.event(bodies.usageChunk(finished)) }
      return out + Array("data: [DONE]\n\n".utf8)
    case .failed(let message):
      return AnswerStream.event(APIError(.internalServerError, message, type: "server_error").json)
    }
  }

  private static func event(_ json: JSON) -> [UInt8] { Array("data: \(json.text())\n\n".utf8) }
}
