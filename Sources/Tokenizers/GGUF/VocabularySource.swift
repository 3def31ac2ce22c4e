/// What the metadata of a GGUF file says about its tokenizer, under the names of the GGUF specification.
public struct VocabularySource: Sendable {
  /// `tokenizer.ggml.model`: `gpt2`, `llama` or `bert`.
  public var model: String
  /// `tokenizer.ggml.pre`: which pre-tokenizer a `gpt2` vocabulary wants.
  public var preTokenizer: String?
  /// `tokenizer.ggml.tokens`, as bytes.
  public var tokens: [[UInt8]]
  /// `tokenizer.ggml.scores`: the bits of IEEE 754 binary32 numbers.
  public var scoreBits: [UInt32]
  /// `tokenizer.ggml.token_type`: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte.
  public var tokenTypes: [Int]
  /// `tokenizer.ggml.merges`: two tokens with a space between, first merge first.
  public var merges: [[UInt8]]
  /// `tokenizer.ggml.bos_token_id` and so on.
  public var beginID: Int?
  public var endID: Int?
  public var unknownID: Int?
  public var separatorID: Int?
  /// `tokenizer.ggml.add_bos_token` and so on; nil takes what the model kind implies.
  public var addsBegin: Bool?
  public var addsEnd: Bool?
  public var addsSpacePrefix: Bool?

  public init(model: String, tokens: [[UInt8]]) {
    self.model = model
    self.tokens = tokens
    preTokenizer = nil
    scoreBits = []
    tokenTypes = []
    merges = []
  }
}

extension Tokenizer {
  /// A tokenizer from the metadata of a GGUF file.
  public init(_ source: VocabularySource) throws(TokenizerError) {
    guard source.tokenTypes.isEmpty || source.tokenTypes.count == source.tokens.count else {
      throw .invalid(
        field: "tokenizer.ggml.token_type",
        reason: "there are \(source.tokenTypes.count) for \(source.tokens.count) tokens")
    }
    var entries: [(bytes: [UInt8], id: Int)] = []
    entries.reserveCapacity(source.tokens.count)
    for (id, bytes) in source.tokens.enumerated() {
      guard String(validating: bytes, as: UTF8.self) != nil else {
        throw .invalid(field: "tokenizer.ggml.tokens", reason: "token \(id) is not UTF-8")
      }
      entries.append((bytes, id))
    }
    let vocabulary = try Vocabulary(entries)
    switch source.model {
    case "gpt2": self = try Self.byteLevel(source, vocabulary)
    case "llama": self = try Self.sentencePiece(source, vocabulary)
    case "bert": self = try Self.wordPiece(source, vocabulary)
    default: throw .unsupported("the GGUF vocabulary \"\(source.model)\"")
    }
  }

  private static func addedTokens(_ source: VocabularySource) -> [AddedToken] {
    var out: [AddedToken] = []
    for (id, type) in source.tokenTypes.enumerated() where (2...4).contains(type) {
      out.append(AddedToken(id: Int32(id), content: source.tokens[id], isSpecial: type != 4))
    }
    return out
  }

  private static func checked(
    _ id: Int?, _ name: String, _ source: VocabularySource
  ) throws(TokenizerError) -> Int32? {
    guard let id else { return nil }
    guard source.tokens.indices.contains(id) else {
      throw .invalid(field: "tokenizer.ggml.\(name)_token_id", reason: "\(id) is not the id of a token")
    }
    return Int32(id)
  }

  private static func frame(
    _ source: VocabularySource, addsBegin: Bool, addsEnd: Bool, end: Int?
  ) throws(TokenizerError) -> PostProcessor {
    var processor = PostProcessor()
    if source.addsBegin ?? addsBegin, let id = try checked(source.beginID, "bos", source) {
      processor = PostProcessor(prefix: [id])
    }
    if source.addsEnd ?? addsEnd, let id = try checked(end, "eos", source) {
      processor = PostProcessor(prefix: processor.prefix, suffix: [id])
    }
    return processor
  }

  private static func byteLevel(_ source: VocabularySource, _ vocabulary: Vocabulary) throws(TokenizerError)
    -> Tokenizer
  {
    let pre = try GGUFPreTokenizer.named(source.preTokenizer ?? "default")
    var merges: [(ArraySlice<UInt8>, ArraySlice<UInt8>)] = []
    merges.reserveCapacity(source.merges.count)
    for (i, merge) in source.merges.enumerated() {
      // The second token may begin with a space, the first does not.
      guard let space = merge.dropFirst().firstIndex(of: 0x20) else {
        throw .invalid(field: "tokenizer.ggml.merges", reason: "merge \(i) is not two tokens")
      }
      merges.append((merge[..<space], merge[(space + 1)...]))
    }
    var options = BytePairEncoding.Options()
    options.ignoresMerges = pre.ignoresMerges
    let model = try BytePairEncoding(vocabulary: vocabulary, merges: merges, options: options)
    var steps: [PreTokenizer] = []
    for pattern in pre.patterns { steps.append(.split(.regex(try Regex(pattern)), .isolated, inverted: false)) }
    steps.append(.byteLevel(addsPrefixSpace: source.addsSpacePrefix ?? false, nil))
    return try Tokenizer(
      model: .bytePairs(model), vocabulary: vocabulary, normalizer: nil, preTokenizer: .sequence(steps),
      postProcessor: try frame(source, addsBegin: pre.addsBegin, addsEnd: false, end: source.endID),
      decoder: Decoder([.byteLevel]), addedTokens: addedTokens(source), unknown: nil)
  }

  private static let metaspace: [UInt8] = [0xE2, 0x96, 0x81]

  private static func sentencePiece(
    _ source: VocabularySource, _ vocabulary: Vocabulary
  ) throws(TokenizerError) -> Tokenizer {
    let unknown = try checked(source.unknownID ?? 0, "unknown", source)
    let model = try SentencePieceMerging(vocabulary: vocabulary, scores: source.scoreBits, unknown: unknown)
    let addsPrefix = source.addsSpacePrefix ?? true
    let spaces = Normalizer.replace(.literal([0x20]), metaspace)
    let steps: [Decoder.Step] = [.replace(.literal(metaspace), [0x20]), .byteFallback]
    return try Tokenizer(
      model: .sentencePiece(model), vocabulary: vocabulary,
      normalizer: addsPrefix ? .sequence([.prepend(metaspace), spaces]) : spaces, preTokenizer: nil,
      postProcessor: try frame(source, addsBegin: true, addsEnd: false, end: source.endID),
      decoder: Decoder(steps, fused: addsPrefix ? [.strip(0x20, start: 1, stop: 0)] : []),
      addedTokens: addedTokens(source), unknown: unknown)
  }

  private static func wordPiece(_ source: VocabularySource, _ vocabulary: Vocabulary) throws(TokenizerError)
    -> Tokenizer
  {
    guard let unknown = try checked(source.unknownID ?? vocabulary.id(of: "[UNK]").map { Int($0) }, "unknown", source)
    else {
      throw .missing(field: "tokenizer.ggml.unknown_token_id")
    }
    // GGUF marks tokens that begin a word, instead of those that do not.
    let model = try WordPiece(
      vocabulary: vocabulary, unknown: source.tokens[Int(unknown)], continuationPrefix: [], scalarsPerWordMax: 1 << 20)
    let normalizer = BertNormalizer(
      cleansText: true, handlesChineseCharacters: true, stripsAccents: true, lowercases: true)
    return try Tokenizer(
      model: .wordPiece(model), vocabulary: vocabulary, normalizer: .bert(normalizer),
      preTokenizer: .sequence([.bert, .prepend(metaspace)]),
      postProcessor: try frame(source, addsBegin: true, addsEnd: true, end: source.separatorID ?? source.endID),
      decoder: Decoder([.metaspace(metaspace, dropsFirst: true)]), addedTokens: addedTokens(source), unknown: unknown)
  }
}
