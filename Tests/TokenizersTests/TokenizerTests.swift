import Testing

import Tokenizers

@Suite struct TokenizerTests {
  let tokenizer: Tokenizer

  init() throws { tokenizer = try Tokenizer(json: Array(SmallTokenizers.byteLevel.utf8)) }

  @Test func joinsPairsInTheOrderOfTheMerges() {
    #expect(tokenizer.encode("hello world", addSpecialTokens: false) == [259, 264])
    #expect(tokenizer.encode("hello world", addSpecialTokens: true) == [300, 259, 264])
    #expect(tokenizer.encode("", addSpecialTokens: true) == [300])
    #expect(tokenizer.decodeText([300, 259, 264]) == "hello world")
    #expect(tokenizer.decodeText([300, 259, 264], skipSpecial: false) == "<|begin|>hello world")
  }

  @Test func textFromAUserCannotProduceAControlToken() {
    let text = "hello<|end|><think>"
    #expect(tokenizer.encode(text, addSpecialTokens: false) == [259, 301, 302])
    let plain = tokenizer.encode(text, addSpecialTokens: false, allowSpecial: false)
    #expect(plain.allSatisfy { !tokenizer.isSpecial($0) })
    #expect(plain.last == 302)
    #expect(tokenizer.decodeText(plain, skipSpecial: false) == text)
  }

  @Test func unigramTextCannotProduceAControlTokenEither() throws {
    let tokenizer = try Tokenizer(json: Array(SmallTokenizers.unigram.utf8))
    #expect(tokenizer.encode("a<s>", addSpecialTokens: false).contains(1))
    let plain = tokenizer.encode("a<s>", addSpecialTokens: false, allowSpecial: false)
    #expect(!plain.contains(1))
    #expect(tokenizer.decodeText(plain) == "a<s>")
  }

  @Test func spellingsThatUnicodeCallsEquivalentDifferUnlessNormalized() throws {
    let composed = tokenizer.encode("\u{e9}", addSpecialTokens: false)
    #expect(tokenizer.encode("e\u{301}", addSpecialTokens: false) == composed)
    let raw = try Tokenizer(json: Array(SmallTokenizers.byteLevel.replacing(#"{"type":"NFC"}"#, with: "null").utf8))
    #expect(raw.encode("e\u{301}", addSpecialTokens: false).count == 3)
    #expect(raw.encode("\u{e9}", addSpecialTokens: false).count == 2)
  }

  @Test func wordPieceMatchesGreedily() throws {
    let tokenizer = try Tokenizer(json: Array(SmallTokenizers.wordPiece.utf8))
    #expect(tokenizer.encode("Unaffable! unx \u{e1}", addSpecialTokens: false) == [1, 2, 3, 4, 0, 5])
    #expect(tokenizer.decodeText([1, 2, 3, 4]) == "unaffable!")
    // Longer than the definition allows.
    #expect(tokenizer.encode(String(repeating: "a", count: 21), addSpecialTokens: false) == [0])
  }

  @Test func bytesThatAreNotTextAreReadAsReplacementCharacters() {
    let repaired = tokenizer.encode([0x68, 0xFF, 0x69], addSpecialTokens: false)
    #expect(repaired == tokenizer.encode("h\u{FFFD}i", addSpecialTokens: false))
  }

  @Test func looksUpTokens() {
    #expect(tokenizer.vocabularySize == 303)
    #expect(tokenizer.id(of: "<|end|>") == 301)
    #expect(tokenizer.id(of: "hello") == 259)
    #expect(tokenizer.id(of: "nothing") == nil)
    #expect(tokenizer.tokenBytes(264) == Array(" world".utf8))
    #expect(tokenizer.tokenBytes(299) == nil)
    #expect(tokenizer.tokenBytes(-1) == nil)
    #expect(tokenizer.specialTokens.map(\.id) == [300, 301])
    #expect(tokenizer.decode([Int32.max, Int32.min, 299]) == [])
  }

  @Test func namesWhatItDoesNotSupport() {
    func error(_ from: String, _ to: String) -> TokenizerError? {
      do {
        _ = try Tokenizer(json: Array(SmallTokenizers.byteLevel.replacing(from, with: to).utf8))
        return nil
      } catch { return error }
    }
    #expect(error(#""dropout":null"#, #""dropout":0.1"#) == .unsupported("dropout, which makes ids random,"))
    #expect(error(#""type":"NFC""#, #""type":"Upside""#) == .unsupported("the normalizer Upside"))
    #expect(
      error(#"\\p{N}{1,3}"#, #"\\p{Klingon}"#) == .unsupported("the property \\p{Klingon} in a regular expression"))
    #expect(error(#"\\p{N}{1,3}"#, #"(a)\\1"#) == .unsupported("the escape \\1 in a regular expression"))
    #expect(
      error(#""h e""#, #""h z""#)
        == .invalid(
          field: "model.merges", reason: "merge 0 makes a token that is not in the vocabulary"))
    #expect(error(#""hello":259"#, #""hello":5000000"#) != nil)
    #expect(error(#""hello":259"#, #""hello":258"#) != nil)
  }

  @Test(arguments: ["hello", "<|begin|>h\u{e9}llo w\u{f6}rld \u{1F999}\u{200D}", "日本語 text", "a\u{301}"])
  func streamsWhatItDecodesWhole(_ text: String) {
    let ids = tokenizer.encode(text, addSpecialTokens: true)
    for skipSpecial in [true, false] {
      var stream = tokenizer.streamingDecoder(skipSpecial: skipSpecial)
      var streamed = ""
      for id in ids {
        let part = stream.push(id)
        #expect(!part.unicodeScalars.contains("\u{FFFD}"))
        streamed += part
      }
      streamed += stream.finish()
      #expect(streamed.utf8.elementsEqual(tokenizer.decodeText(ids, skipSpecial: skipSpecial).utf8))
    }
  }

  @Test func streamsAnySequenceOfIdsAsItDecodesWhole() throws {
    var generator = SeededGenerator("EVIDENT_TOKENIZER_SEED", default: 7)
    let unigram = try Tokenizer(json: Array(SmallTokenizers.unigram.utf8))
    for tokenizer in [tokenizer, unigram] {
      for _ in 0..<2000 {
        let ids = (0..<Int.random(in: 0..<24, using: &generator)).map { _ in
          Int32.random(in: 0..<Int32(tokenizer.vocabularySize), using: &generator)
        }
        var stream = tokenizer.streamingDecoder()
        var streamed = ids.map { stream.push($0) }.joined()
        streamed += stream.finish()
        #expect(streamed.utf8.elementsEqual(tokenizer.decodeText(ids).utf8), "\(ids)")
      }
    }
  }

  /// What takes quadratic time takes hours of a megabyte.
  @Test(.timeLimit(.minutes(5))) func aMegabyteWithoutSpacesTakesNoQuadraticTime() throws {
    let unigram = try Tokenizer(json: Array(SmallTokenizers.unigram.utf8))
    let wordPiece = try Tokenizer(json: Array(SmallTokenizers.wordPiece.utf8))
    for (name, text) in [
      ("letters", String(repeating: "helloworldab", count: 87_382)), ("spaces", String(repeating: " ", count: 1 << 20)),
      ("digits", String(repeating: "7", count: 1 << 20)),
      ("marks", String(repeating: "\u{301}\u{323}", count: 1 << 18)),
      ("brackets", String(repeating: "<|", count: 1 << 19)),
    ] {
      for (model, tokenizer) in [("pairs", tokenizer), ("unigram", unigram), ("word piece", wordPiece)] {
        let ids = tokenizer.encode(text, addSpecialTokens: false)
        #expect(!ids.isEmpty && ids.count <= text.utf8.count, "1 MiB of \(name), \(model)")
      }
    }
  }
}
