import Digests
import Testing

import Tokenizers

/// Parts of tokenizer definitions that few models use, each on its own.
@Suite struct ComponentTests {
  static func tokenizer(
    normalizer: String = "null", preTokenizer: String = "null", decoder: String = "null", words: [String]
  ) throws -> Tokenizer {
    let vocab = (["<unk>"] + words).enumerated().map { "\(JSON.string($0.element).text()):\($0.offset)" }
    return try Tokenizer(
      json: Array(
        """
        {"normalizer":\(normalizer),"pre_tokenizer":\(preTokenizer),"decoder":\(decoder),"added_tokens":[],
        "model":{"type":"WordLevel","unk_token":"<unk>","vocab":{\(vocab.joined(separator: ","))}}}
        """.utf8))
  }

  @Test func wordsAreLookedUpWhole() throws {
    let tokenizer = try Self.tokenizer(preTokenizer: #"{"type":"WhitespaceSplit"}"#, words: ["one", "two"])
    #expect(tokenizer.encode("two one  three", addSpecialTokens: false) == [2, 1, 0])
    #expect(tokenizer.decodeText([1, 2]) == "one two")
  }

  @Test func piecesOfAFixedLength() throws {
    let tokenizer = try Self.tokenizer(
      preTokenizer: #"{"type":"FixedLength","length":2}"#, words: ["ab", "\u{e9}\u{1F999}", "c"])
    #expect(tokenizer.encode("ab\u{e9}\u{1F999}c", addSpecialTokens: false) == [1, 2, 3])
    #expect(throws: TokenizerError.self) {
      try Self.tokenizer(preTokenizer: #"{"type":"FixedLength","length":0}"#, words: [])
    }
  }

  @Test func controlCharactersGoAndOddSpacesBecomeSpaces() throws {
    let tokenizer = try Self.tokenizer(normalizer: #"{"type":"Nmt"}"#, words: ["a b c"])
    #expect(tokenizer.encode("a\u{200b}b\u{1}\u{7f}\tc", addSpecialTokens: false) == [1])
  }

  @Test func repeatedTokensOfAlignmentsCountOnce() throws {
    let tokenizer = try Self.tokenizer(
      decoder: #"{"type":"CTC","pad_token":"<pad>","word_delimiter_token":"|","cleanup":true}"#,
      words: ["h", "i", "|", "<pad>"])
    #expect(tokenizer.decodeText([1, 1, 4, 2, 2, 3, 3, 1]) == "hi h")
    var stream = tokenizer.streamingDecoder()
    var streamed = [Int32](arrayLiteral: 1, 1, 4, 2, 2, 3, 3, 1).map { stream.push($0) }.joined()
    streamed += stream.finish()
    #expect(streamed == "hi h")
  }

  /// Of how many tokens all text is out, after each.
  @Test(arguments: [
    (#"{"type":"ByteLevel"}"#, ["h", "Ã", "©"], [Int32](arrayLiteral: 1, 2, 3, 1), [1, 1, 3, 4]),
    (#"{"type":"BPEDecoder","suffix":"</w>"}"#, ["h", "i</w>"], [1, 2, 1, 2], [0, 1, 2, 3]),
    (
      #"{"type":"CTC","pad_token":"<pad>","word_delimiter_token":"|","cleanup":true}"#, ["h", "|"], [1, 1, 2],
      [1, 2, 3]
    ),
    (
      #"{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"Strip","content":"_","start":0,"stop":1}]}"#,
      ["h", "_", "h_"], [1, 2, 2, 1, 3, 1], [1, 1, 2, 4, 4, 6]
    ),
    (
      #"{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"Replace","pattern":{"String":"hi"},"content":"x"}]}"#,
      ["h", "i"], [1, 2, 1], [0, 0, 0]
    ),
    (
      #"{"type":"Sequence","decoders":[{"type":"BPEDecoder","suffix":"e"},{"type":"ByteLevel"}]}"#, ["Ã", "©", "h"],
      [1, 2, 3, 3], [0, 0, 2, 3]
    ),
  ])
  func aStreamKnowsWhichTokensAreOut(_ decoder: String, _ words: [String], _ ids: [Int32], _ settled: [Int]) throws {
    let tokenizer = try Self.tokenizer(decoder: decoder, words: words)
    var stream = tokenizer.streamingDecoder()
    var text = ""
    for (i, id) in ids.enumerated() {
      text += stream.push(id)
      #expect(stream.settledTokens == settled[i])
      // However it goes on, what is said to be out is.
      var alone = tokenizer.streamingDecoder()
      let least = ids[..<settled[i]].map { alone.push($0) }.joined()
      #expect(text.utf8.starts(with: least.utf8))
    }
  }

  @Test func compiledRulesApplyToGraphemes() throws {
    let rules = Base64Text.string(SmallVocabularies.characterMap)
    let tokenizer = try Self.tokenizer(
      normalizer: #"{"type":"Precompiled","precompiled_charsmap":"\#(rules)"}"#, words: ["ab", "xab", "abx"])
    #expect(tokenizer.encode("A", addSpecialTokens: false) == [1])
    // A rule for the first character takes the whole of a short cluster with it.
    #expect(tokenizer.encode("A\u{301}", addSpecialTokens: false) == [1])
    #expect(tokenizer.encode("xA", addSpecialTokens: false) == [2])
    #expect(tokenizer.encode("Ax", addSpecialTokens: false) == [3])
  }

  @Test(arguments: [
    ("normalizer", #"{"type":"Upside"}"#, "the normalizer Upside"),
    ("pre_tokenizer", #"{"type":"UnicodeScripts"}"#, "the pre-tokenizer UnicodeScripts"),
    ("decoder", #"{"type":"Sequence","decoders":[{"type":"Fuse"},{"type":"ByteLevel"}]}"#, nil),
    ("decoder", #"{"type":"Nope"}"#, "the decoder Nope"),
    ("post_processor", #"{"type":"PairProcessing"}"#, "the post-processor PairProcessing"),
    ("model", #"{"type":"Morphemes","vocab":{}}"#, "the model Morphemes"),
  ])
  func namesWhatItDoesNotSupport(_ member: String, _ value: String, _ what: String?) throws {
    var json = try #require(
      try JSON.parse(
        #"{"normalizer":null,"pre_tokenizer":null,"post_processor":null,"decoder":null,"added_tokens":[],"#
          + #""model":{"type":"WordLevel","unk_token":"a","vocab":{"a":0}}}"#
      ).object)
    json[member] = try JSON.parse(value)
    let bytes = Array(JSON.object(json).text().utf8)
    #expect {
      try Tokenizer(json: bytes)
    } throws: { error in
      guard case .unsupported(let named)? = error as? TokenizerError else { return false }
      return what.map { $0 == named } ?? true
    }
  }
}

/// Base64 for tests.
enum Base64Text {
  static func string(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/")
    var out = ""
    for i in stride(from: 0, to: bytes.count, by: 3) {
      let rest = bytes[i..<min(i + 3, bytes.count)]
      let group = rest.reduce(0) { $0 << 8 | Int($1) } << (8 * (3 - rest.count))
      for j in 0..<4 { out.append(j <= rest.count ? alphabet[group >> (18 - 6 * j) & 63] : "=") }
    }
    return out
  }
}
