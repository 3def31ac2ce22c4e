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
    case "gpt2": self = try Self.bytePairs(source, vocabulary, source.preTokenizer ?? "default")
    case "gemma4": self = try Self.bytePairs(source, vocabulary, "gemma4")
    case "llama": self = try Self.sentencePiece(source, vocabulary)
    case "bert": self = try Self.wordPiece(source, vocabulary)
    case "t5": self = try Self.unigram(source, vocabulary)
    default: throw .unsupported("the GGUF vocabulary \"\(source.model)\"")
    }
  }

  private static func addedTokens(_ source: VocabularySource, types: ClosedRange<Int> = 2...4) -> [AddedToken] {
    var out: [AddedToken] = []
    for (id, type) in source.tokenTypes.enumerated() where types.contains(type) {
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

  /// What goes around a text.
  private static func frame(
    _ source: VocabularySource, begin: Bool, end: (adds: Bool, id: Int?)
  ) throws(TokenizerError) -> PostProcessor {
    var (prefix, suffix): ([Int32], [Int32]) = ([], [])
    if begin, let id = try checked(source.beginID, "bos", source) { prefix = [id] }
    if end.adds, let id = try checked(end.id, "eos", source) { suffix = [id] }
    return PostProcessor(prefix: prefix, suffix: suffix)
  }

  private static func bytePairs(
    _ source: VocabularySource, _ vocabulary: Vocabulary, _ name: String
  ) throws(TokenizerError) -> Tokenizer {
    let pre = try GGUFPreTokenizer.named(name)
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
    options.fallsBackToBytes = pre.isSentencePieceLike
    options.takesLineFeedsWhole = name == "gemma4"
    let model = try BytePairEncoding(vocabulary: vocabulary, merges: merges, options: options)
    var steps: [PreTokenizer] = []
    for pattern in pre.patterns { steps.append(.split(.regex(try Regex(pattern)), .isolated, inverted: false)) }
    if !pre.isSentencePieceLike { steps.append(.byteLevel(addsPrefixSpace: source.addsSpacePrefix ?? false, nil)) }
    // Converters of such models wrote that no token begins a text, and were wrong.
    let begin = name == "gemma4" || (source.addsBegin ?? pre.addsBegin)
    return try Tokenizer(
      model: .bytePairs(model), vocabulary: vocabulary,
      normalizer: pre.isSentencePieceLike ? .replace(.literal([0x20]), metaspace) : nil, preTokenizer: .sequence(steps),
      postProcessor: try frame(source, begin: begin, end: (source.addsEnd ?? false, source.endID)),
      decoder: pre.isSentencePieceLike ? spacedDecoder(dropsFirst: false) : Decoder([.byteLevel]),
      addedTokens: addedTokens(source), unknown: nil)
  }

  private static let metaspace = SentencePieceNormalizer.metaspace

  private static func spacedDecoder(dropsFirst: Bool) -> Decoder {
    Decoder(
      [.replace(.literal(metaspace), [0x20]), .byteFallback], fused: dropsFirst ? [.strip(0x20, start: 1, stop: 0)] : []
    )
  }

  private static func rules(_ source: VocabularySource) throws(TokenizerError) -> CharacterMap? {
    guard let bytes = source.characterMap, !bytes.isEmpty else { return nil }
    return try CharacterMap(bytes)
  }

  private static func sentencePiece(
    _ source: VocabularySource, _ vocabulary: Vocabulary
  ) throws(TokenizerError) -> Tokenizer {
    let unknown = try checked(source.unknownID ?? 0, "unknown", source)
    let model = try SentencePieceMerging(
      vocabulary: vocabulary, scores: source.scoreBits, types: source.tokenTypes, unknown: unknown)
    let addsPrefix = source.addsSpacePrefix ?? true
    let normalizer = SentencePieceNormalizer(
      rules: try rules(source), addsPrefix: addsPrefix, removesExtraSpaces: source.removesExtraSpaces ?? false)
    return try Tokenizer(
      model: .sentencePiece(model), vocabulary: vocabulary, normalizer: .sentencePiece(normalizer), preTokenizer: nil,
      postProcessor: try frame(
        source, begin: source.addsBegin ?? true, end: (source.addsEnd ?? false, source.endID)),
      decoder: spacedDecoder(dropsFirst: addsPrefix), addedTokens: addedTokens(source), unknown: unknown)
  }

  private static func unigram(
    _ source: VocabularySource, _ vocabulary: Vocabulary
  ) throws(TokenizerError) -> Tokenizer {
    guard let unknown = try checked(source.unknownID ?? 2, "unknown", source) else {
      throw .missing(field: "tokenizer.ggml.unknown_token_id")
    }
    let model = try Unigram(
      vocabulary: vocabulary, scoreBits: source.scoreBits, types: source.tokenTypes, unknown: Int(unknown))
    let addsPrefix = source.addsSpacePrefix ?? true
    // The model itself finds user-defined pieces: what stands before one and after it is one path.
    let userDefined = source.tokenTypes.indices.filter { source.tokenTypes[$0] == 4 && !source.tokens[$0].isEmpty }
    var normalizer = SentencePieceNormalizer(
      rules: try rules(source), addsPrefix: addsPrefix, removesExtraSpaces: source.removesExtraSpaces ?? false)
    if !userDefined.isEmpty { normalizer.kept = ByteTrie(userDefined.map { (source.tokens[$0], Int32($0)) }) }
    return try Tokenizer(
      model: .unigram(model), vocabulary: vocabulary, normalizer: .sentencePiece(normalizer), preTokenizer: nil,
      postProcessor: try frame(
        source, begin: source.addsBegin ?? false, end: (source.addsEnd ?? true, source.endID ?? 1)),
      decoder: spacedDecoder(dropsFirst: addsPrefix), addedTokens: addedTokens(source, types: 2...3), unknown: unknown)
  }

  private static func wordPiece(
    _ source: VocabularySource, _ vocabulary: Vocabulary
  ) throws(TokenizerError) -> Tokenizer {
    guard let unknown = try checked(source.unknownID ?? vocabulary.id(of: "[UNK]").map { Int($0) }, "unknown", source)
    else {
      throw .missing(field: "tokenizer.ggml.unknown_token_id")
    }
    // GGUF marks tokens that begin a word, instead of those that do not.
    let model = try WordPiece(
      vocabulary: vocabulary, unknown: source.tokens[Int(unknown)], continuationPrefix: [], scalarsPerWordMax: 1 << 20)
    let lowercases = source.lowercases ?? true
    let normalizer = BertNormalizer(
      cleansText: true, handlesChineseCharacters: true, stripsAccents: source.stripsAccents ?? lowercases,
      lowercases: lowercases)
    return try Tokenizer(
      model: .wordPiece(model), vocabulary: vocabulary, normalizer: .bert(normalizer),
      preTokenizer: .sequence([.bert, .prepend(metaspace)]),
      postProcessor: try frame(
        source, begin: source.addsBegin ?? true,
        end: (source.addsSeparator ?? true, source.separatorID ?? source.endID)),
      decoder: Decoder([.metaspace(metaspace, dropsFirst: true)]), addedTokens: addedTokens(source), unknown: unknown)
  }
}
