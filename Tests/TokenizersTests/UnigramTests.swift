import Testing

import Tokenizers

/// The expected ids are those of SentencePiece 0.2.3 for models of these pieces.
@Suite struct UnigramTests {
  /// Scores in proportion to lengths, so that paths are equal on paper; `,` and `+-` are user-defined.
  static func tied(unit: Float) -> VocabularySource {
    let texts = ["<pad>", "</s>", "<unk>", "▁", "▁▁", "a", "▁a", ",", "+-"]
    var source = VocabularySource(model: "t5", tokens: texts.map { Array($0.utf8) })
    source.scoreBits = [0, 0, 0, unit, 2 * unit, unit, 2 * unit, 0, 0].map { (score: Float) in score.bitPattern }
    source.tokenTypes = [3, 3, 2, 1, 1, 1, 1, 4, 4]
    source.addsSpacePrefix = false
    return source
  }

  @Test(arguments: [
    // Sums go on over a user-defined piece; were the text cut there, the last two would be one.
    (unit: Float(-1.568_864_464_759_826_7), text: "+- a", ids: [8, 3, 5] as [Int32]),
    // Its score is 0 for one byte; with −0.1, as before 0.2.3, the last two would be two.
    (-26123.794_921_875, ", a", [7, 6]),
    // Beyond 100000 sums begin anew; otherwise the last two would be one.
    (-61464.785_156_25, "a  ", [5, 3, 3]),
  ])
  func equalPathsAreDecidedAsSentencePieceDoes(unit: Float, text: String, ids: [Int32]) throws {
    let tokenizer = try Tokenizer(Self.tied(unit: unit))
    #expect(tokenizer.encode(text, addSpecialTokens: false, allowSpecial: false) == ids)
    #expect(tokenizer.encode(text, addSpecialTokens: false) == ids)
    #expect(tokenizer.decodeText(ids) == text)
  }

  @Test func rulesLeaveUserDefinedPiecesAlone() throws {
    var source = SmallVocabularies.unigram
    #expect(try Tokenizer(source).encode("A", addSpecialTokens: false) == [6, 5])
    source.tokens.append([0x41])
    source.scoreBits.append(0)
    source.tokenTypes.append(4)
    let tokenizer = try Tokenizer(source)
    #expect(tokenizer.encode("Aa  A", addSpecialTokens: false) == [3, 8, 4, 3, 8])
    #expect(tokenizer.decodeText([3, 8, 4, 3, 8]) == "Aa A")
  }
}
