import Digests
public import ModelGraph
public import Receipts
public import Tokenizers

/// Chat template and tokenizer of one model: both directions between text and tokens.
///
/// Node and verifier use this same code: what a request becomes is part of the claim.
/// Source: docs/spec/evidence.md, "Rendering".
public struct ModelText: PromptRenderer {
  private let tokenizer: Tokenizer
  private let template: ChatTemplate?
  private let endOfSequence: Set<Int32>
  private let context: JSONObject

  /// - Parameters:
  ///   - tokenizer: the model's tokenizer blob: a `tokenizer.json` or a vocabulary document.
  ///   - template: the model's chat template, UTF-8.
  /// - Throws: ``TokenizerError`` or ``TemplateError`` naming what is not supported.
  public init(manifest: ModelManifest, tokenizer: [UInt8], template: [UInt8]?) throws {
    self.tokenizer = try Tokenizer(modelFile: tokenizer)
    self.template = try template.map { try ChatTemplate(source: String(decoding: $0, as: UTF8.self)) }
    endOfSequence = Set(manifest.tokens.endOfSequence)
    var context = JSONObject()
    context["add_generation_prompt"] = true
    context["bos_token"] = .string(ModelText.name(of: manifest.tokens.beginOfSequence, self.tokenizer))
    context["eos_token"] = .string(ModelText.name(of: manifest.tokens.endOfSequence.first, self.tokenizer))
    self.context = context
  }

  private static func name(of id: Int32?, _ tokenizer: Tokenizer) -> String {
    id.flatMap { tokenizer.token(of: $0) }.map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  /// Refuses a tokenizer that cannot be used with a vocabulary of that size.
  public static func checkTokenizer(_ bytes: [UInt8], vocabularySize: Int) throws {
    let tokenizer = try Tokenizer(modelFile: bytes)
    guard tokenizer.vocabularySize <= vocabularySize else {
      throw PromptError.vocabularyTooSmall(tokenizer: tokenizer.vocabularySize, model: vocabularySize)
    }
  }

  public var hasChatTemplate: Bool { template != nil }

  public func isEndOfSequence(_ token: Int32) -> Bool { endOfSequence.contains(token) }

  public func inputTokens(for request: Request, time: String) throws -> [Int32] {
    switch request {
    case .chat(let messages):
      guard let template else { throw PromptError.noChatTemplate }
      var context = context
      context["messages"] = .array(
        messages.map { ["role": .string($0.role), "content": .string($0.content)] })
      let text = try template.render(
        context: .object(context), now: TemplateTime(String(time.prefix(19))))
      // The template writes what begins a text itself.
      return tokenizer.encode(text, addSpecialTokens: false)
    case .completion(let prompt):
      return tokenizer.encode(prompt, addSpecialTokens: true)
    }
  }

  public func inputTokens(for input: EmbeddingRequest.Input) throws -> [Int32] {
    switch input {
    case .text(let text): tokenizer.encode(text, addSpecialTokens: true)
    case .tokens(let tokens): tokens
    }
  }

  public func bytes(of outputTokens: ArraySlice<Int32>) throws -> [UInt8] {
    tokenizer.decode(Array(outputTokens))
  }

  /// The text of a whole answer: decoded, cut at the earliest stop string, repaired to UTF-8.
  ///
  /// - Parameter stops: empty unless a stop string ended the answer.
  public func answer(_ outputTokens: [Int32], stops: [String]) -> String {
    var tokens = outputTokens[...]
    if let last = tokens.last, isEndOfSequence(last) { tokens.removeLast() }
    var decoded = tokenizer.decode(Array(tokens))
    if let start = StopSearch(stops).first(in: decoded) { decoded.removeSubrange(start...) }
    return String(decoding: decoded, as: UTF8.self)
  }

  public func streamingDecoder() -> StreamingDecoder { tokenizer.streamingDecoder() }
}

/// Why a request cannot become tokens.
public enum PromptError: Error, Sendable, CustomStringConvertible {
  case noChatTemplate
  case vocabularyTooSmall(tokenizer: Int, model: Int)

  public var description: String {
    switch self {
    case .noChatTemplate: "the model has no chat template"
    case .vocabularyTooSmall(let tokenizer, let model):
      "the tokenizer has ids up to \(tokenizer - 1); the model's vocabulary has \(model)"
    }
  }
}
