import Digests
package import Tokenizers

/// The tokenizer that a GGUF file's metadata describes.
package enum GGUFVocabulary {
  /// As many as a model may have.
  static let tokensMax = 1 << 20
  static let mergesMax = 1 << 21
  static let characterMapBytesMax = 16 << 20

  private static let prefix = "tokenizer.ggml."

  /// - Throws: ``GGUFRejection`` when a part is missing or of another type. Whether the parts fit together is
  ///   the tokenizer's affair.
  package static func source(_ metadata: GGUFMetadata) throws(GGUFRejection) -> VocabularySource {
    guard let model = try metadata.text(prefix + "model") else {
      throw .missing(file: metadata.file, key: prefix + "model")
    }
    guard let tokens = try metadata.strings(prefix + "tokens", countMax: tokensMax) else {
      throw .missing(file: metadata.file, key: prefix + "tokens")
    }
    var source = VocabularySource(model: model, tokens: tokens)
    source.preTokenizer = try metadata.text(prefix + "pre")
    source.scoreBits = try metadata.floatBits(prefix + "scores", countMax: tokensMax) ?? []
    source.tokenTypes = try metadata.integers(prefix + "token_type", countMax: tokensMax) ?? []
    source.merges = try metadata.strings(prefix + "merges", countMax: mergesMax) ?? []
    source.beginID = try identifier("bos_token_id", metadata)
    source.endID = try identifier("eos_token_id", metadata)
    source.unknownID = try identifier("unknown_token_id", metadata)
    // The misspelling is the key's name.
    source.separatorID = try identifier("seperator_token_id", metadata)
    source.addsBegin = try metadata.bool(prefix + "add_bos_token")
    source.addsEnd = try metadata.bool(prefix + "add_eos_token")
    source.addsSeparator = try metadata.bool(prefix + "add_sep_token")
    source.addsSpacePrefix = try metadata.bool(prefix + "add_space_prefix")
    source.removesExtraSpaces = try metadata.bool(prefix + "remove_extra_whitespaces")
    source.lowercases = try metadata.bool(prefix + "normalizer.lowercase")
    source.stripsAccents = try metadata.bool(prefix + "normalizer.strip_accents")
    source.characterMap = try metadata.byteArray(prefix + "precompiled_charsmap", countMax: characterMapBytesMax)
    return source
  }

  /// A token id of the metadata; the number that stands for "none" in old files is none.
  private static func identifier(_ name: String, _ metadata: GGUFMetadata) throws(GGUFRejection) -> Int? {
    guard let id = try metadata.integer(prefix + name), id != Int(UInt32.max) else { return nil }
    return id
  }

  // MARK: The end of an answer

  /// Texts of tokens that end an answer or a turn. A file names one end only, while Hugging Face's
  /// `generation_config.json` lists several; without the others an answer would run on past its end.
  private static let ends: Set<[UInt8]> = Set(
    [
      "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>", "<|im_end|>", "<|endoftext|>", "<|end|>", "<end_of_turn>",
      "<EOT>", "</s>",
    ].map { Array($0.utf8) })

  /// `eos_token_id` first, then `eot_token_id`, `eom_token_id`, and special tokens with one of the well-known
  /// texts, in ascending order.
  package static func endOfSequence(_ source: VocabularySource, _ metadata: GGUFMetadata) throws(GGUFRejection) -> [Int]
  {
    var others: Set<Int> = []
    for name in ["eot_token_id", "eom_token_id"] {
      if let id = try identifier(name, metadata) { others.insert(id) }
    }
    // 3: control, 4: user-defined.
    for (id, type) in source.tokenTypes.enumerated() where type == 3 || type == 4 {
      if source.tokens.indices.contains(id), ends.contains(source.tokens[id]) { others.insert(id) }
    }
    if let end = source.endID { others.remove(end) }
    return (source.endID.map { [$0] } ?? []) + others.sorted()
  }
}
