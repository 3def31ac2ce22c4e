import Digests
import Foundation
import HTTPTypes
import Hummingbird
import ModelGraph
import NIOCore
import Node
import Receipts

/// `POST /v1/embeddings`.
struct EmbeddingRoutes: Sendable {
  let node: Node
  let options: ServerOptions

  func add(to router: Router<BasicRequestContext>) {
    router.post("/v1/embeddings") { request, _ in try await embed(request) }
  }

  private func embed(_ request: Hummingbird.Request) async throws -> Response {
    var request = request
    let wanted = try EmbeddingsRequest(try await request.json(bytesMax: options.bodyBytesMax))
    guard wanted.model == node.model.name || wanted.model == node.model.digestText else {
      throw APIError.modelNotFound(wanted.model, known: [node.model.name])
    }
    let finished: FinishedEmbeddings
    do {
      finished = try await node.embed(wanted.request, model: wanted.model, dimensions: wanted.dimensions)
    } catch let refusal as AnswerRefusal {
      throw APIError(refusal)
    }
    var response = Response.json(EmbeddingRoutes.body(finished, wanted))
    response.headers[.receiptID] = finished.receiptID
    return response
  }

  private static func body(_ finished: FinishedEmbeddings, _ wanted: EmbeddingsRequest) -> JSON {
    let tokens = JSON.integer(finished.promptTokens)
    return [
      "object": "list",
      "id": .string(finished.responseID),
      "model": .string(wanted.model),
      "data": .array(
        finished.vectors.enumerated().map { i, vector in
          ["object": "embedding", "index": .integer(i), "embedding": encoded(vector, wanted.encoding)]
        }),
      "usage": ["prompt_tokens": tokens, "total_tokens": tokens],
      "receipt": [
        "id": .string(finished.receiptID), "url": .string("/v1/receipts/\(finished.receiptID)"),
      ],
    ]
  }

  /// As binary32 numbers, which hold every element exactly.
  private static func encoded(_ vector: EmbeddingVector, _ encoding: EmbeddingsRequest.Encoding) -> JSON {
    let scale = Float(sign: .plus, exponent: vector.exponent, significand: 1)
    let numbers = vector.values.map { Float($0) * scale }
    switch encoding {
    case .float: return .array(numbers.map { .number(JSONNumber(validated: $0.description)) })
    case .base64:
      var bytes: [UInt8] = []
      for number in numbers { bytes += number.bitPattern.littleEndianBytes }
      return .string(Data(bytes).base64EncodedString())
    }
  }
}
