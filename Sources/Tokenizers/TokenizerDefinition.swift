import Digests

/// Reads the parts of a `tokenizer.json`.
enum TokenizerDefinition {
  static func tokenizer(_ reader: DefinitionReader) throws(TokenizerError) -> Tokenizer {
    guard let modelReader = try reader.reader("model") else { throw .missing(field: "model") }
    let (model, vocabulary, unknown) = try model(modelReader)
    let normalizer: Normalizer?
    if let r = try reader.reader("normalizer") { normalizer = try Normalizer(r) } else { normalizer = nil }
    let preTokenizer: PreTokenizer?
    if let r = try reader.reader("pre_tokenizer") { preTokenizer = try PreTokenizer(r) } else { preTokenizer = nil }
    let postProcessor: PostProcessor
    if let r = try reader.reader("post_processor") {
      postProcessor = try PostProcessor(r)
    } else {
      postProcessor = .init()
    }
    let decoder: Decoder
    if let r = try reader.reader("decoder") { decoder = try Decoder(r) } else { decoder = Decoder([.spaced]) }
    var added: [AddedToken] = []
    if reader.value("added_tokens") != nil {
      for r in try reader.readers("added_tokens") { added.append(try AddedToken(r)) }
    }
    return try Tokenizer(
      model: model, vocabulary: vocabulary, normalizer: normalizer, preTokenizer: preTokenizer,
      postProcessor: postProcessor, decoder: decoder, addedTokens: added, unknown: unknown)
  }

  private static func model(
    _ reader: DefinitionReader
  ) throws(TokenizerError) -> (Tokenizer.Model, Vocabulary, Int32?) {
    let type = try reader.word("type") ?? (reader.value("merges") != nil ? "BPE" : "without a type")
    switch type {
    case "BPE":
      let vocabulary = try vocabulary(reader)
      let model = try bytePairs(reader, vocabulary)
      return (.bytePairs(model), vocabulary, try reader.string("unk_token").flatMap { vocabulary.id(of: $0) })
    case "WordPiece":
      let vocabulary = try vocabulary(reader)
      let unknown = try reader.string("unk_token") ?? Array("[UNK]".utf8)
      let model = try WordPiece(
        vocabulary: vocabulary, unknown: unknown,
        continuationPrefix: try reader.string("continuing_subword_prefix") ?? Array("##".utf8),
        scalarsPerWordMax: try reader.integer("max_input_chars_per_word") ?? 100)
      return (.wordPiece(model), vocabulary, vocabulary.id(of: unknown))
    case "WordLevel":
      let vocabulary = try vocabulary(reader)
      let unknown = try reader.string("unk_token") ?? Array("<unk>".utf8)
      let model = try WordLevel(vocabulary: vocabulary, unknown: unknown)
      return (.wordLevel(model), vocabulary, vocabulary.id(of: unknown))
    case "Unigram":
      let (model, vocabulary, unknown) = try unigram(reader)
      return (.unigram(model), vocabulary, unknown)
    default: throw .unsupported("the model \(type)")
    }
  }

  private static func unigram(_ reader: DefinitionReader) throws(TokenizerError) -> (Unigram, Vocabulary, Int32) {
    var entries: [(bytes: [UInt8], id: Int)] = []
    var scores: [Binary64] = []
    for (id, entry) in try reader.requiredArray("vocab").enumerated() {
      guard let pair = entry.array, pair.count == 2, let piece = pair[0].string, let number = pair[1].number,
        let score = Binary64(decimal: number.text)
      else { throw .invalid(field: "\(reader.field("vocab"))[\(id)]", reason: "it is not a piece and its score") }
      entries.append((Array(piece.utf8), id))
      scores.append(score)
    }
    guard let unknown = try reader.integer("unk_id") else { throw .missing(field: reader.field("unk_id")) }
    let vocabulary = try Vocabulary(entries)
    let model = try Unigram(
      vocabulary: vocabulary, scores: scores, unknown: unknown,
      fallsBackToBytes: try reader.bool("byte_fallback", default: false))
    return (model, vocabulary, Int32(unknown))
  }

  private static func vocabulary(_ reader: DefinitionReader) throws(TokenizerError) -> Vocabulary {
    guard let object = reader.value("vocab")?.object else { throw .missing(field: reader.field("vocab")) }
    var entries: [(bytes: [UInt8], id: Int)] = []
    entries.reserveCapacity(object.count)
    for (key, value) in object.members {
      guard let id = value.integer else {
        throw .invalid(field: reader.field("vocab"), reason: "an id is not an integer")
      }
      entries.append((Array(key.utf8), id))
    }
    return try Vocabulary(entries)
  }

  private static func bytePairs(
    _ reader: DefinitionReader, _ vocabulary: Vocabulary
  ) throws(TokenizerError) -> BytePairEncoding {
    if let dropout = reader.value("dropout"), dropout.number?.scaled(byPowerOfTen: 9) != 0 {
      throw .unsupported("dropout, which makes ids random,")
    }
    var merges: [(ArraySlice<UInt8>, ArraySlice<UInt8>)] = []
    let list = try reader.requiredArray("merges")
    merges.reserveCapacity(list.count)
    for (i, merge) in list.enumerated() {
      if let pair = merge.array, pair.count == 2, let a = pair[0].string, let b = pair[1].string {
        merges.append((Array(a.utf8)[...], Array(b.utf8)[...]))
      } else if let text = merge.string {
        let bytes = Array(text.utf8)
        guard let space = bytes.firstIndex(of: 0x20), !bytes[(space + 1)...].contains(0x20) else {
          throw .invalid(field: "\(reader.field("merges"))[\(i)]", reason: "it is not two tokens")
        }
        merges.append((bytes[..<space], bytes[(space + 1)...]))
      } else {
        throw .invalid(field: "\(reader.field("merges"))[\(i)]", reason: "it is not two tokens")
      }
    }
    var options = BytePairEncoding.Options()
    options.unknown = try reader.string("unk_token")
    options.fusesUnknown = try reader.bool("fuse_unk", default: false)
    options.fallsBackToBytes = try reader.bool("byte_fallback", default: false)
    options.ignoresMerges = try reader.bool("ignore_merges", default: false)
    options.continuationPrefix = try reader.string("continuing_subword_prefix") ?? []
    options.wordSuffix = try reader.string("end_of_word_suffix") ?? []
    return try BytePairEncoding(vocabulary: vocabulary, merges: merges, options: options)
  }
}
