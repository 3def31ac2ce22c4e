import Digests
import Node
import Receipts

/// The JSON bodies of answers, finished and streamed, as OpenAI clients read them.
struct ResponseBodies {
  let endpoint: GenerationRequest.Endpoint
  let answer: RunningAnswer
  let model: String
  /// nil where no server keeps the receipt.
  let receiptURL: String?
  /// With `include_usage` every chunk but the last carries `usage: null`.
  let includeUsage: Bool

  private var receipt: JSON {
    var receipt = JSONObject()
    receipt["id"] = .string(answer.receiptID)
    if let receiptURL { receipt["url"] = .string(receiptURL) }
    return .object(receipt)
  }

  private func head(_ object: String) -> JSONObject {
    var head = JSONObject()
    head["id"] = .string(answer.responseID)
    head["object"] = .string(object)
    head["created"] = .integer(answer.created)
    head["model"] = .string(model)
    return head
  }

  private static func usage(_ finished: FinishedAnswer) -> JSON {
    [
      "prompt_tokens": .integer(finished.promptTokens),
      "completion_tokens": .integer(finished.outputTokens),
      "total_tokens": .integer(finished.promptTokens + finished.outputTokens),
      "prompt_tokens_details": ["cached_tokens": .integer(finished.promptTokensReused)],
    ]
  }

  /// The body of an answer that is not streamed.
  func whole(_ finished: FinishedAnswer) -> JSON {
    var body = head(endpoint == .chat ? "chat.completion" : "text_completion")
    let reason = JSON.string(finished.finishReason)
    switch endpoint {
    case .chat:
      body["choices"] = [
        [
          "index": 0, "message": ["role": "assistant", "content": .string(finished.text), "refusal": .null],
          "logprobs": .null, "finish_reason": reason,
        ]
      ]
    case .completion:
      body["choices"] = [["index": 0, "text": .string(finished.text), "logprobs": .null, "finish_reason": reason]]
    }
    body["usage"] = ResponseBodies.usage(finished)
    body["receipt"] = receipt
    return .object(body)
  }

  /// The first chunk of a chat stream: the role, no content. Completions have none.
  var firstChunk: JSON? {
    endpoint == .chat ? chunk(delta: ["role": "assistant", "content": ""], text: "", finishReason: nil) : nil
  }

  func textChunk(_ text: String, _ checkpoint: StreamCheckpoint?) -> JSON {
    ResponseBodies.adding(checkpoint, to: chunk(delta: ["content": .string(text)], text: text, finishReason: nil))
  }

  /// A member that clients which did not ask for it never see.
  private static func adding(_ checkpoint: StreamCheckpoint?, to chunk: JSON) -> JSON {
    guard let checkpoint, var body = chunk.object else { return chunk }
    body["evident"] = checkpoint.json
    return .object(body)
  }

  func finishChunk(_ finished: FinishedAnswer) -> JSON {
    var body = chunk(delta: [:], text: "", finishReason: finished.finishReason).object ?? JSONObject()
    body["receipt"] = receipt
    return ResponseBodies.adding(finished.checkpoint, to: .object(body))
  }

  func usageChunk(_ finished: FinishedAnswer) -> JSON {
    var body = head(endpoint == .chat ? "chat.completion.chunk" : "text_completion")
    body["choices"] = []
    body["usage"] = ResponseBodies.usage(finished)
    return .object(body)
  }

  private func chunk(delta: JSON, text: String, finishReason: String?) -> JSON {
    var body = head(endpoint == .chat ? "chat.completion.chunk" : "text_completion")
    let reason: JSON = finishReason.map { .string($0) } ?? .null
    switch endpoint {
    case .chat: body["choices"] = [["index": 0, "delta": delta, "logprobs": .null, "finish_reason": reason]]
    case .completion:
      body["choices"] = [["index": 0, "text": .string(text), "logprobs": .null, "finish_reason": reason]]
    }
    if includeUsage { body["usage"] = .null }
    return .object(body)
  }
}
