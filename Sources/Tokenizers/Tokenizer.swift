import Digests

/// Text to token ids and back, as a pure function of the tokenizer's definition.
///
/// Text is UTF-8 and is compared as bytes: two spellings of one character that Unicode calls equivalent
/// are different text, unless the definition normalizes them.
public struct Tokenizer: Sendable {
  enum Model: Sendable {
    case bytePairs(BytePairEncoding)
    case sentencePiece(SentencePieceMerging)
    case unigram(Unigram)
    case wordPiece(WordPiece)
    case wordLevel(WordLevel)
  }

  let model: Model
  let vocabulary: Vocabulary
  let normalizer: Normalizer?
  let preTokenizer: PreTokenizer?
  let postProcessor: PostProcessor
  let decoder: Decoder
  let added: AddedTokens
  private let addedByID: [Int32: Int]
  /// Ids that text which is not trusted must not produce.
  private let blocked: Set<Int32>

  init(
    model: Model, vocabulary: Vocabulary, normalizer: Normalizer?, preTokenizer: PreTokenizer?,
    postProcessor: PostProcessor, decoder: Decoder, addedTokens: [AddedToken], unknown: Int32?
  ) throws(TokenizerError) {
    self.model = model
    self.vocabulary = vocabulary
    self.normalizer = normalizer
    self.preTokenizer = preTokenizer
    self.postProcessor = postProcessor
    self.decoder = decoder
    added = try AddedTokens(addedTokens, normalizer)
    var byID: [Int32: Int] = [:]
    for (i, token) in addedTokens.enumerated() { byID[token.id] = i }
    addedByID = byID
    blocked = Set(addedTokens.lazy.filter { $0.isSpecial && $0.id != unknown }.map(\.id))
  }

  /// The most bytes that a definition may have.
  public static let definitionBytesMax = 64 << 20

  /// Reads a Hugging Face `tokenizer.json`. Its settings for truncation and padding are not applied.
  public init(json bytes: [UInt8]) throws(TokenizerError) {
    self = try TokenizerDefinition.tokenizer(try DefinitionReader(try Self.parsed(bytes), path: ""))
  }

  /// Reads the tokenizer of a model: a Hugging Face `tokenizer.json` or a vocabulary document
  /// (`evident.vocabulary.v1`, docs/spec/vocabulary.md), which says so in its member `schema`.
  public init(modelFile bytes: [UInt8]) throws(TokenizerError) {
    let json = try Self.parsed(bytes)
    if json["schema"] == nil {
      self = try TokenizerDefinition.tokenizer(try DefinitionReader(json, path: ""))
    } else {
      self = try Tokenizer(try VocabularySource(json, canonical: bytes))
    }
  }

  private static func parsed(_ bytes: [UInt8]) throws(TokenizerError) -> JSON {
    do { return try JSON.parse(bytes, bytesMax: definitionBytesMax) } catch { throw .json(error) }
  }

  /// One more than the greatest id that is in use.
  public var vocabularySize: Int {
    max(vocabulary.size, (addedByID.keys.max().map { Int($0) } ?? -1) + 1)
  }

  /// The special tokens, in the order of the definition.
  public var specialTokens: [AddedToken] { added.tokens.filter(\.isSpecial) }

  public var addedTokens: [AddedToken] { added.tokens }

  public func isSpecial(_ id: Int32) -> Bool { addedByID[id].map { added.tokens[$0].isSpecial } ?? false }

  /// The id of a token, by its string in the definition.
  public func id(of token: String) -> Int32? {
    let bytes = Array(token.utf8)
    return added.tokens.last { $0.content == bytes }?.id ?? vocabulary.id(of: bytes)
  }

  /// The token's string in the definition, as UTF-8.
  public func token(of id: Int32) -> [UInt8]? {
    if let i = addedByID[id] { return added.tokens[i].content }
    return vocabulary.bytes(of: Int(id)).map(Array.init)
  }

  /// The bytes that the token adds to a text that it does not begin; nil for an id that is not in use.
  public func tokenBytes(_ id: Int32) -> [UInt8]? {
    guard let token = token(of: id) else { return nil }
    var run = DecoderRun(decoder, isMidText: true)
    run.push(token[...])
    run.finish()
    return run.output
  }

  /// The ids of a text.
  ///
  /// - Parameter addSpecialTokens: whether to add what the definition puts around a text.
  /// - Parameter allowSpecial: whether special tokens are recognised in the text. With `false`, text from a
  ///   user cannot produce a control token.
  public func encode(_ text: String, addSpecialTokens: Bool, allowSpecial: Bool = true) -> [Int32] {
    encode(validated: Array(text.utf8), addSpecialTokens, allowSpecial)
  }

  /// As for text; what is not UTF-8 is read as U+FFFD.
  public func encode(_ text: [UInt8], addSpecialTokens: Bool, allowSpecial: Bool = true) -> [Int32] {
    encode(validated: UTF8Text.repaired(text), addSpecialTokens, allowSpecial)
  }

  private func encode(validated text: [UInt8], _ addSpecialTokens: Bool, _ allowSpecial: Bool) -> [Int32] {
    var ids: [Int32] = addSpecialTokens ? postProcessor.prefix : []
    var merging = SymbolMerging()
    let blocked = allowSpecial ? [] : blocked
    for part in added.split(text, normalizer, allowSpecial: allowSpecial) {
      switch part {
      case .token(let id): ids.append(id)
      case .text(let text, let isTextStart):
        var pieces = PreTokenizedText(text, isTextStart: isTextStart)
        preTokenizer?.apply(&pieces)
        let text = pieces.text
        for piece in pieces.pieces where !piece.range.isEmpty {
          switch model {
          case .bytePairs(let m): m.encode(text, piece.range, blocked: blocked, &merging, into: &ids)
          case .sentencePiece(let m): m.encode(text, piece.range, blocked: blocked, &merging, into: &ids)
          case .unigram(let m): m.encode(text, piece.range, blocked: blocked, into: &ids)
          case .wordPiece(let m): m.encode(text, piece.range, blocked: blocked, into: &ids)
          case .wordLevel(let m): m.encode(text, piece.range, blocked: blocked, into: &ids)
          }
        }
      }
    }
    if addSpecialTokens { ids.append(contentsOf: postProcessor.suffix) }
    return ids
  }

  /// The bytes of a sequence of ids. They need not be UTF-8: a model may stop inside a character.
  /// Ids that are not in use add nothing.
  public func decode(_ ids: [Int32], skipSpecial: Bool = true) -> [UInt8] {
    var run = DecoderRun(decoder)
    for id in ids { push(id, skipsSpecial: skipSpecial, into: &run) }
    run.finish()
    return run.output
  }

  /// As ``decode(_:skipSpecial:)``, with what is not UTF-8 as U+FFFD.
  public func decodeText(_ ids: [Int32], skipSpecial: Bool = true) -> String {
    String(decoding: decode(ids, skipSpecial: skipSpecial), as: UTF8.self)
  }

  public func streamingDecoder(skipSpecial: Bool = true) -> StreamingDecoder {
    StreamingDecoder(self, skipsSpecial: skipSpecial)
  }

  func push(_ id: Int32, skipsSpecial: Bool, into run: inout DecoderRun) {
    if let i = addedByID[id] {
      if !(skipsSpecial && added.tokens[i].isSpecial) { run.push(added.tokens[i].content[...]) }
    } else if let bytes = vocabulary.bytes(of: Int(id)) {
      run.push(bytes)
    }
  }
}
