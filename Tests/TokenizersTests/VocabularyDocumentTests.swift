import Digests
import Testing

import Tokenizers

@Suite struct VocabularyDocumentTests {
  @Test(arguments: SmallVocabularies.all)
  func aDocumentIsReadAsItWasWritten(_ source: VocabularySource) throws {
    let bytes = try source.canonicalBytes()
    #expect(try VocabularySource(document: bytes) == source)
    #expect(try VocabularySource(document: bytes).canonicalBytes() == bytes)
    let (direct, read) = (try Tokenizer(source), try Tokenizer(modelFile: bytes))
    for text in ["hello w!", "ab  aA\u{e9}", "unaffable a!", ""] {
      #expect(read.encode(text, addSpecialTokens: true) == direct.encode(text, addSpecialTokens: true))
    }
  }

  @Test func bothKindsOfModelFileAreRead() throws {
    let definition = try Tokenizer(modelFile: Array(SmallTokenizers.byteLevel.utf8))
    #expect(definition.encode("hello", addSpecialTokens: false) == [259])
    let document = try Tokenizer(modelFile: try SmallVocabularies.pairs.canonicalBytes())
    #expect(document.encode("hello w", addSpecialTokens: true) == [8, 11, 9])
  }

  @Test func piecesAreJoinedByTheirScores() throws {
    let tokenizer = try Tokenizer(SmallVocabularies.pieces)
    #expect(tokenizer.encode("ab a", addSpecialTokens: true) == [1, 264, 262])
    // What has no piece becomes bytes, and a byte token's own text does not become the token.
    #expect(tokenizer.encode("\u{e9}", addSpecialTokens: false) == [259, 198, 172])
    #expect(tokenizer.encode("<0x41>", addSpecialTokens: false).count > 1)
    #expect(tokenizer.decodeText([264, 262]) == "ab a")
  }

  @Test func rulesAndSpacesAreSentencePieces() throws {
    let tokenizer = try Tokenizer(SmallVocabularies.unigram)
    let expected = tokenizer.encode("a ab", addSpecialTokens: false)
    #expect(tokenizer.encode("  a   A ", addSpecialTokens: false) == expected)
    #expect(tokenizer.encode("ab", addSpecialTokens: true).last == 1)
    // Unknown characters in a row are one unknown token.
    #expect(tokenizer.encode("a\u{e9}\u{e8}", addSpecialTokens: false) == [6, 2])
    #expect(tokenizer.encode(" ", addSpecialTokens: false) == [])
  }

  @Test func everyMemberIsExact() throws {
    func error(_ change: (inout JSONObject) -> Void) throws -> TokenizerError? {
      var object = try #require(try JSON.parse(try SmallVocabularies.pairs.canonicalBytes()).object)
      change(&object)
      do {
        _ = try Tokenizer(modelFile: try JSON.object(object).canonicalBytes())
        return nil
      } catch let error as TokenizerError { return error }
    }
    #expect(try error { _ in } == nil)
    #expect(try error { $0["more"] = 1 } == .document(.unknown(path: "more")))
    #expect(try error { $0["merges"] = nil } == .document(.missing(path: "merges")))
    #expect(
      try error { $0["schema"] = "evident.vocabulary.v2" }
        == .document(
          .notAllowed(path: "schema", value: "evident.vocabulary.v2", wanted: "evident.vocabulary.v1")))
    #expect(
      try error { $0["endOfSequence"] = -1 }
        == .document(
          .outOfRange(path: "endOfSequence", value: -1, range: 0...4_194_303)))
    #expect(try error { $0["endOfSequence"] = 12 } != nil)
    #expect(try error { $0["addEnd"] = "yes" } != nil)
    #expect(try error { $0["types"] = [1] } != nil)
    #expect(try error { $0["scores"] = [4_294_967_296] } != nil)
    #expect(try error { $0["tokens"] = [1] } != nil)
    #expect(try error { $0["characterMap"] = "AAA" } != nil)
    #expect(try error { $0["model"] = "rwkv" } == .unsupported("the GGUF vocabulary \"rwkv\""))
    #expect(
      try error { $0["preTokenizer"] = "whitespace" } == .unsupported("the GGUF pre-tokenizer \"whitespace\""))
  }

  @Test func oneVocabularyHasOneDocument() throws {
    let bytes = try SmallVocabularies.pairs.canonicalBytes()
    #expect(throws: TokenizerError.notCanonical) { try Tokenizer(modelFile: bytes + [0x0A]) }
    #expect(throws: TokenizerError.notCanonical) { try VocabularySource(document: [0x20] + bytes) }
  }

  @Test func whatHasNoDocumentIsRefused() {
    var source = SmallVocabularies.pairs
    source.tokens[3] = [0xFF]
    #expect(throws: TokenizerError.invalid(field: "tokens", reason: "item 3 is not UTF-8")) {
      try source.canonicalBytes()
    }
    source = SmallVocabularies.pairs
    source.tokenTypes[0] = 256
    #expect(throws: TokenizerError.self) { try source.canonicalBytes() }
  }

  @Test func damagedDocumentsAreRefusedOrWork() throws {
    var generator = SeededGenerator("EVIDENT_VOCABULARY_SEED", default: 17)
    var accepted = 0
    for source in SmallVocabularies.all {
      let bytes = try source.canonicalBytes()
      for _ in 0..<300 {
        let damaged = MutationTests.mutated(bytes, &generator)
        guard let tokenizer = try? Tokenizer(modelFile: damaged) else { continue }
        accepted += 1
        let ids = tokenizer.encode("hello ab\u{e9} Aunaffable!  <|end|>", addSpecialTokens: true)
        _ = tokenizer.decode(ids)
      }
    }
    print("\(accepted) of 1200 damaged documents were still documents")
  }

  @Test func damagedRulesAreRefusedOrWork() throws {
    var generator = SeededGenerator("EVIDENT_RULES_SEED", default: 19)
    for _ in 0..<600 {
      var source = SmallVocabularies.unigram
      source.characterMap = MutationTests.mutated(SmallVocabularies.characterMap, &generator)
      guard let tokenizer = try? Tokenizer(source) else { continue }
      _ = tokenizer.encode("AaA\u{e9}b\u{0}A", addSpecialTokens: true)
    }
  }
}
