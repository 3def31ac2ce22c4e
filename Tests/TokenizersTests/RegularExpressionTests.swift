import Testing

import Tokenizers

/// Regular expressions are reached through a tokenizer, as they are in use.
@Suite struct RegularExpressionTests {
  static func tokenizer(_ pattern: String) throws -> Tokenizer {
    let start = try #require(SmallTokenizers.byteLevel.firstRange(of: "(?i:'s")).lowerBound
    let end = try #require(SmallTokenizers.byteLevel.firstRange(of: #"|\\s+"},"#)).lowerBound
    let escaped = pattern.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"")
    let json = SmallTokenizers.byteLevel[..<start] + escaped + SmallTokenizers.byteLevel[end...].dropFirst(5)
    return try Tokenizer(json: Array(String(json).utf8))
  }

  /// Expressions on which plain backtracking takes exponential or quadratic time.
  @Test(
    .timeLimit(.minutes(5)),
    arguments: [
      "(a+)+b", "(a|aa)+$", "(a*)*b", "(?:a?){64}a{64}b", "(a|b|ab)*c", "a*a*a*a*a*b", "(?=(a+)+b)a", "(?:a+|a+)+?b",
      "(?>a+)+b", "(x+x+)+y|a",
    ])
  func takeLinearTime(_ pattern: String) throws {
    let tokenizer = try Self.tokenizer(pattern)
    let text = String(repeating: "a", count: 100_000)
    #expect(tokenizer.encode(text, addSpecialTokens: false).count == 100_000, "\(pattern)")
  }

  @Test(arguments: [
    "(", ")", "[", "a{3,2}", "*", "(?<n>a)", "\\p{Nope}", "[b-a]", "(?x:a)", "\\k<n>", "(?<=ab)c", "\\X", "a{9999}",
    "(?:(?:a{999}){999}){999}", "((){1000}){1000}", "\\", "[\\", "(?", "\\x{110000}", "\\u12",
  ])
  func refusesWhatItCannotMatch(_ pattern: String) {
    #expect(throws: TokenizerError.self) { try Self.tokenizer(pattern) }
  }

  @Test func deepNestingIsRefusedNotRecursedInto() {
    #expect(throws: TokenizerError.self) { try Self.tokenizer(String(repeating: "(", count: 10_000)) }
    #expect(throws: TokenizerError.self) { try Self.tokenizer(String(repeating: "[", count: 10_000)) }
    #expect(throws: TokenizerError.self) { try Self.tokenizer("a" + String(repeating: "?", count: 10_000)) }
  }
}
