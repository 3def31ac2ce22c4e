import Testing

import Digests

@Suite struct JSONTests {
  @Test func canonicalFormSortsKeysByUTF16AndEscapesLittle() throws {
    // RFC 8785, section 3.2.3, without its number members.
    let text =
      #"{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control","\u00f6":"Latin Small Letter O With Diaeresis"}"#
    let value = try JSON.parse(text)
    let canonical = String(decoding: try value.canonicalBytes(), as: UTF8.self)
    let reparsed = try JSON.parse(canonical)
    #expect(reparsed.object?.keys == ["\r", "1", "\u{80}", "\u{f6}", "\u{20ac}", "\u{1f600}", "\u{fb33}"])
    #expect(reparsed == value)
  }

  @Test(arguments: [
    #"{"a":1,"a":2}"#, "[1,]", "[01]", "[1.]", "1 2", "\"\\ud800\"", "\"\u{1}\"", "", "nul", "{\"a\"}", "[\"", "-",
  ])
  func rejects(_ text: String) {
    #expect(throws: JSONError.self) { try JSON.parse(text) }
  }

  @Test func deepNestingIsRefusedNotRecursedInto() {
    let deep = String(repeating: "[", count: 100_000)
    #expect(throws: JSONError.tooDeep(depthMax: 64, offset: 64)) { try JSON.parse(deep) }
  }

  @Test func keysThatDifferOnlyInNormalisationAreDifferentKeys() throws {
    let value = try JSON.parse("{\"\u{e9}\":1,\"e\u{301}\":2}")
    #expect(value["\u{e9}"]?.integer == 1)
    #expect(value["e\u{301}"]?.integer == 2)
  }

  @Test func numbersScaleExactly() throws {
    func micros(_ text: String) throws -> Int? { try JSON.parse(text).number?.scaled(byPowerOfTen: 6) }
    #expect(try micros("0.7") == 700_000)
    #expect(try micros("-2") == -2_000_000)
    #expect(try micros("0.30000000000000004") == 300_000)
    #expect(try micros("1e-7") == 0)
    #expect(try micros("5e-7") == 1)
    #expect(try micros("0.0000004999") == 0)
    #expect(try micros("1e400") == nil)
    #expect(try micros("9e99999999999999999999") == nil)
    #expect(try micros("1e-9223372036854775808") == nil)
    #expect(try JSON.parse("1.0").integer == 1)
    #expect(try JSON.parse("1.5").integer == nil)
    #expect(throws: CanonicalJSONError.notAnInteger("1.5")) { try JSON.parse("[1.5]").canonicalBytes() }
    #expect(throws: CanonicalJSONError.integerTooLarge("9007199254740992")) {
      try JSON.parse("9007199254740992").canonicalBytes()
    }
  }
}

@Suite struct JSONNumberTests {
  /// abs(Int.min) would overflow.
  @Test(arguments: ["1e-9223372036854775808", "1e9223372036854775807", "1e99999999999999999999"])
  func absurdExponents(_ text: String) throws {
    let number = try #require(JSON.parse(text).number)
    #expect(number.integer == nil && number.scaled(byPowerOfTen: 6) == nil)
  }
}
