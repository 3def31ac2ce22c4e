import Digests
import HTTPTypes
import ModelGraph
import Receipts

/// What a chat or completion request asks for, read strictly.
struct GenerationRequest: Sendable {
  var model: String
  var request: Receipts.Request
  var stream: Bool
  var includeUsage: Bool
  var parameters: SamplingParameters
  /// The caller's contribution to the seed stream.
  var nonce: [UInt8]?

  /// - Parameters:
  ///   - endpoint: decides which members exist.
  ///   - defaultMaxTokens: applies where the request sets no limit.
  /// - Throws: ``APIError`` naming the parameter.
  init(_ body: JSON, endpoint: Endpoint, nonceHeader: String?, defaultMaxTokens: Int) throws(APIError) {
    var fields = try RequestFields(body)
    guard let model = try fields.takeString("model") else { throw .invalid("model", "model is missing") }
    self.model = model
    switch endpoint {
    case .chat: request = .chat(try GenerationRequest.readMessages(&fields))
    case .completion: request = .completion(prompt: try GenerationRequest.readPrompt(&fields))
    }
    stream = try fields.takeBool("stream") ?? false
    includeUsage = try GenerationRequest.readStreamOptions(&fields, stream: stream)
    nonce = try GenerationRequest.readNonce(&fields, header: nonceHeader)
    let limit = try GenerationRequest.readLimit(&fields, endpoint) ?? defaultMaxTokens
    parameters = try GenerationRequest.readParameters(&fields, maxTokens: limit)
    try GenerationRequest.refuseUnsupported(&fields, endpoint)
    try fields.refuseTheRest()
  }

  enum Endpoint: Sendable { case chat, completion }

  private static func readMessages(_ fields: inout RequestFields) throws(APIError) -> [Receipts.Request.Message] {
    guard let list = fields.take("messages")?.array, !list.isEmpty else {
      throw .invalid("messages", "messages must be an array with at least one message")
    }
    guard list.count <= 4096 else { throw .invalid("messages", "at most 4096 messages are accepted") }
    var out: [Receipts.Request.Message] = []
    for (i, item) in list.enumerated() {
      let path = "messages[\(i)]"
      guard let object = item.object else { throw .invalid(path, "\(path) must be an object") }
      for key in object.keys where !["role", "content"].contains(key) {
        if object[key]?.isNull == true { continue }
        throw .unsupported("\(path).\(key)", "messages consist of role and content")
      }
      guard let role = object["role"]?.string, ["system", "developer", "user", "assistant"].contains(role) else {
        throw .invalid("\(path).role", "\(path).role must be system, developer, user or assistant")
      }
      guard let content = object["content"] else { throw .invalid("\(path).content", "\(path).content is missing") }
      // `developer` is the newer name for the same place in the template.
      out.append(
        .init(role: role == "developer" ? "system" : role, content: try readContent(content, path + ".content")))
    }
    return out
  }

  /// A string, or an array of text parts.
  private static func readContent(_ content: JSON, _ path: String) throws(APIError) -> String {
    if let text = content.string { return text }
    guard let parts = content.array else { throw .invalid(path, "\(path) must be a string or an array of parts") }
    var text = ""
    for (i, part) in parts.enumerated() {
      guard part["type"]?.string == "text", let piece = part["text"]?.string else {
        throw .unsupported("\(path)[\(i)].type", "only text parts are accepted")
      }
      text += piece
    }
    return text
  }

  private static func readPrompt(_ fields: inout RequestFields) throws(APIError) -> String {
    guard let value = fields.take("prompt") else { throw .invalid("prompt", "prompt is missing") }
    if let text = value.string { return text }
    if let list = value.array {
      if list.count == 1, let text = list[0].string { return text }
      throw .unsupported("prompt", "one string, or an array with exactly one string, is accepted")
    }
    throw .invalid("prompt", "prompt must be a string")
  }

  private static func readStreamOptions(_ fields: inout RequestFields, stream: Bool) throws(APIError) -> Bool {
    guard let options = fields.take("stream_options") else { return false }
    guard stream else { throw .invalid("stream_options", "stream_options needs stream: true") }
    guard let object = options.object else { throw .invalid("stream_options", "stream_options must be an object") }
    for key in object.keys where key != "include_usage" {
      throw .unsupported("stream_options.\(key)", "only include_usage is accepted")
    }
    guard let include = object["include_usage"], !include.isNull else { return false }
    guard let bool = include.bool else {
      throw .invalid("stream_options.include_usage", "include_usage must be true or false")
    }
    return bool
  }

  /// 1 to 64 bytes in hex, from the header or the field; both only when they agree.
  private static func readNonce(_ fields: inout RequestFields, header: String?) throws(APIError) -> [UInt8]? {
    let field = try fields.takeString("nonce")
    if let field, let header, field != header {
      throw .invalid("nonce", "the nonce field and the X-Evident-Nonce header differ; send one of them")
    }
    guard let text = field ?? header else { return nil }
    guard let bytes = Hex.bytes(text), (1...64).contains(bytes.count) else {
      throw .invalid("nonce", "nonce must be 1 to 64 bytes in lower-case hex")
    }
    return bytes
  }

  private static func readLimit(_ fields: inout RequestFields, _ endpoint: Endpoint) throws(APIError) -> Int? {
    let range = 1...SamplingParameters.maxTokensMax
    let old = try fields.takeInteger("max_tokens", range)
    guard endpoint == .chat else { return old }
    let new = try fields.takeInteger("max_completion_tokens", range)
    if let old, let new, old != new {
      throw .invalid("max_completion_tokens", "max_tokens and max_completion_tokens differ; send one of them")
    }
    return new ?? old
  }

  private static func readParameters(
    _ fields: inout RequestFields, maxTokens: Int
  ) throws(APIError) -> SamplingParameters {
    let temperature = try fields.takeMicros("temperature", 0...2_000_000) ?? 1_000_000
    let topP = try fields.takeMicros("top_p", 0...1_000_000) ?? 1_000_000
    let topK = try fields.takeInteger("top_k", 0...SamplingParameters.tokenMax) ?? 0
    let minP = try fields.takeMicros("min_p", 0...1_000_000) ?? 0
    let repetition = try fields.takeMicros("repetition_penalty", 100_000...10_000_000) ?? 1_000_000
    let frequency = try fields.takeMicros("frequency_penalty", -2_000_000...2_000_000) ?? 0
    let presence = try fields.takeMicros("presence_penalty", -2_000_000...2_000_000) ?? 0
    let bias = try readLogitBias(&fields)
    let seed = try readSeed(&fields)
    let stop = try readStop(&fields)
    do {
      return try SamplingParameters(
        // Below a thousandth the distribution is the most likely token and nothing else.
        temperatureMicros: temperature < 1000 ? 0 : temperature, topK: topK, topPMicros: max(1, topP),
        minPMicros: minP, repetitionPenaltyMicros: repetition, frequencyPenaltyMicros: frequency,
        presencePenaltyMicros: presence, logitBias: bias, seed: seed, maxTokens: maxTokens, stop: stop)
    } catch {
      throw .invalid(error.path.replacing("parameters.", with: ""), error.description)
    }
  }

  private static func readLogitBias(_ fields: inout RequestFields) throws(APIError) -> [SamplingParameters.LogitBias] {
    guard let value = fields.take("logit_bias") else { return [] }
    guard let object = value.object else { throw .invalid("logit_bias", "logit_bias must be an object") }
    var out: [SamplingParameters.LogitBias] = []
    for (key, entry) in object.members {
      guard let token = Int32(key), token >= 0, String(token) == key else {
        throw .invalid("logit_bias", "logit_bias has a key that is not a token id: \(key.prefix(40))")
      }
      guard let micros = entry.number?.scaled(byPowerOfTen: 6), (-100_000_000...100_000_000).contains(micros) else {
        throw .invalid("logit_bias", "logit_bias of token \(token) must be a number between -100 and 100")
      }
      out.append(.init(token: token, micros: micros))
    }
    return out.sorted { $0.token < $1.token }
  }

  private static func readSeed(_ fields: inout RequestFields) throws(APIError) -> UInt64? {
    guard let value = fields.take("seed") else { return nil }
    guard let seed = value.integer else { throw .invalid("seed", "seed must be a 64-bit integer") }
    return UInt64(bitPattern: Int64(seed))
  }

  private static func readStop(_ fields: inout RequestFields) throws(APIError) -> [String] {
    guard let value = fields.take("stop") else { return [] }
    let list = value.string.map { [.string($0)] } ?? value.array
    guard let list else { throw .invalid("stop", "stop must be a string or an array of strings") }
    var out: [String] = []
    for item in list {
      guard let text = item.string else { throw .invalid("stop", "stop must be a string or an array of strings") }
      // It stands for bytes that are no text, and a stop string is found in the bytes.
      guard !text.unicodeScalars.contains("\u{FFFD}") else { throw .invalid("stop", "stop cannot hold U+FFFD") }
      out.append(text)
    }
    return out
  }

  /// Known parameters that this server cannot honour: each is accepted only with the value that
  /// changes nothing.
  private static func refuseUnsupported(_ fields: inout RequestFields, _ endpoint: Endpoint) throws(APIError) {
    try fields.refuse("n", unless: 1, "one choice is returned; send the request again for another")
    // Labels for the caller's own bookkeeping; they cannot change an answer.
    _ = try fields.takeString("user")
    _ = try fields.takeString("safety_identifier")
    switch endpoint {
    case .chat:
      try fields.refuse("logprobs", unless: false, "log probabilities are not returned yet")
      try fields.refuse("response_format", unless: ["type": "text"], "only text is produced")
      try fields.refuse("tools", unless: [], "tools are not supported yet")
      try fields.refuse("store", unless: false, "answers are not stored for training or distillation")
    case .completion:
      try fields.refuse("echo", unless: false, "the prompt is not repeated")
      try fields.refuse("best_of", unless: 1, "one choice is produced")
      try fields.refuse("suffix", unless: "", "insertion is not supported")
      try fields.refuse("logprobs", unless: .null, "log probabilities are not returned yet")
    }
  }
}
