import Tokenizers

/// Vocabularies of every kind that fit in a test.
enum SmallVocabularies {
  private static func bytes(_ texts: [String]) -> [[UInt8]] { texts.map { Array($0.utf8) } }

  private static func bits(_ scores: [Float]) -> [UInt32] { scores.map(\.bitPattern) }

  /// Byte-level pairs.
  static let pairs: VocabularySource = {
    var source = VocabularySource(
      model: "gpt2", tokens: bytes(["h", "e", "l", "o", "Ġ", "he", "ll", "hell", "hello", "<|end|>", "w", "Ġw"]))
    source.preTokenizer = "qwen2"
    source.merges = bytes(["h e", "l l", "he ll", "hell o", "Ġ w"])
    source.tokenTypes = [1, 1, 1, 1, 1, 1, 1, 1, 1, 3, 1, 1]
    source.endID = 9
    source.addsEnd = true
    return source
  }()

  /// SentencePiece's pairs, with bytes for what has no piece.
  static let pieces: VocabularySource = {
    let names = (0..<256).map { b in
      let digits = String(b, radix: 16, uppercase: true)
      return "<0x\(b < 16 ? "0" : "")\(digits)>"
    }
    var source = VocabularySource(
      model: "llama", tokens: bytes(["<unk>", "<s>", "</s>"] + names + ["▁", "a", "b", "▁a", "ab", "▁ab"]))
    source.scoreBits = bits(Array(repeating: 0, count: 259) + [-5, -4, -3, -2.5, -1, -2])
    source.tokenTypes = [2, 3, 3] + Array(repeating: 6, count: 256) + Array(repeating: 1, count: 6)
    source.beginID = 1
    source.endID = 2
    source.unknownID = 0
    return source
  }()

  /// SentencePiece's unigram model with a rule: `A` becomes `ab`.
  static let unigram: VocabularySource = {
    var source = VocabularySource(model: "t5", tokens: bytes(["<pad>", "</s>", "<unk>", "▁", "a", "b", "▁a", "ab"]))
    source.scoreBits = bits([0, 0, 0, -3, -2, -2.5, -2.25, -4])
    source.tokenTypes = [3, 3, 2, 1, 1, 1, 1, 1]
    source.removesExtraSpaces = true
    source.characterMap = characterMap
    return source
  }()

  /// BERT's words.
  static let words: VocabularySource = {
    var source = VocabularySource(
      model: "bert", tokens: bytes(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "▁un", "aff", "able", "▁!", "▁a"]))
    source.tokenTypes = [3, 2, 3, 3, 1, 1, 1, 1, 1]
    source.beginID = 2
    source.separatorID = 3
    source.unknownID = 1
    return source
  }()

  static let all = [pairs, pieces, unigram, words]

  /// A trie with the one key `A`, whose replacement is `ab`.
  static let characterMap: [UInt8] = {
    var units = [UInt32](repeating: 0, count: 512)
    units[0] = 256 << 10
    units[256 ^ 0x41] = 0x41 | 1 << 8 | 1 << 10
    units[256 ^ 0x41 ^ 1] = 1 << 31
    var out: [UInt8] = [0, 8, 0, 0]
    for u in units { for shift in stride(from: UInt32(0), to: 32, by: 8) { out.append(UInt8(u >> shift & 0xFF)) } }
    return out + Array("ab\0".utf8)
  }()
}
