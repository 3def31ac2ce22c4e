import Digests
import Receipts

/// What a request for embeddings asks for, read strictly.
struct EmbeddingsRequest: Sendable {
  enum Encoding: Sendable { case float, base64 }

  var model: String
  var request: EmbeddingRequest
  var encoding: Encoding
  /// nil for all of the model's.
  var dimensions: Int?

  /// - Throws: ``APIError`` naming the parameter.
  init(_ body: JSON) throws(APIError) {
    var fields = try RequestFields(body)
    guard let model = try fields.takeString("model") else { throw .invalid("model", "model is missing") }
    self.model = model
    guard let input = fields.take("input") else { throw .invalid("input", "input is missing") }
    request = EmbeddingRequest(inputs: try EmbeddingsRequest.inputs(input))
    switch try fields.takeString("encoding_format") {
    case nil, "float": encoding = .float
    case "base64": encoding = .base64
    case let other?:
      throw .invalid("encoding_format", "encoding_format is \"\(other.prefix(40))\"; it must be float or base64")
    }
    dimensions = try fields.takeInteger("dimensions", 1...EvidenceLimits.dimensionsMax)
    // A label for the caller's own bookkeeping; it cannot change an embedding.
    _ = try fields.takeString("user")
    try fields.refuseTheRest()
  }

  /// A text, an array of texts, token ids, or an array of such arrays.
  private static func inputs(_ json: JSON) throws(APIError) -> [EmbeddingRequest.Input] {
    if let text = json.string { return [.text(text)] }
    guard let list = json.array, !list.isEmpty else {
      throw .invalid("input", "input must be a string, an array of strings, or arrays of token ids, and not empty")
    }
    if list.allSatisfy({ $0.number != nil }) { return [.tokens(try tokens(list, "input"))] }
    guard list.count <= EvidenceLimits.embeddingInputsMax else {
      throw .invalid("input", "at most \(EvidenceLimits.embeddingInputsMax) inputs are accepted in one request")
    }
    var out: [EmbeddingRequest.Input] = []
    for (i, item) in list.enumerated() {
      if let text = item.string {
        out.append(.text(text))
      } else if let ids = item.array {
        out.append(.tokens(try tokens(ids, "input[\(i)]")))
      } else {
        throw .invalid("input[\(i)]", "input[\(i)] must be a string or an array of token ids")
      }
    }
    return out
  }

  private static func tokens(_ list: [JSON], _ path: String) throws(APIError) -> [Int32] {
    var out: [Int32] = []
    for (i, item) in list.enumerated() {
      guard let id = item.integer, (0..<(1 << 20)).contains(id) else {
        throw .invalid("\(path)[\(i)]", "\(path)[\(i)] must be a token id")
      }
      out.append(Int32(id))
    }
    return out
  }
}
