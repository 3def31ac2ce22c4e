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

/// Against the plainest way to write the same thing.
@Suite struct JSONObjectTests {
  /// Objects of few members and of many are found through differently.
  @Test(arguments: [1, 15, 16, 17, 18, 40])
  func membersAreFoundReplacedAndRemoved(_ count: Int) {
    var object = JSONObject()
    var plain: [(key: String, value: JSON)] = []
    func agree() {
      #expect(object.keys == plain.map(\.key))
      for (key, value) in plain { #expect(object[key] == value) }
      #expect(object["none"] == nil && object["k"] == nil)
    }
    for i in 0..<count {
      object["k\(i)"] = .integer(i)
      plain.append(("k\(i)", .integer(i)))
      agree()
    }
    for i in stride(from: 0, to: count, by: 3) {
      object["k\(i)"] = "new"
      plain[i].value = "new"
    }
    agree()
    while let last = plain.indices.last {
      let i = last / 2
      object[plain[i].key] = nil
      plain.remove(at: i)
      agree()
      object["none"] = nil
    }
    #expect(object == JSONObject())
  }

  @Test(arguments: [2, 16, 17, 30])
  func aKeyTwiceIsRefusedWhereverItStands(_ count: Int) throws {
    for twice in 0..<count {
      let members = (0..<count).map { "\"k\($0)\":0" } + ["\"k\(twice)\":0"]
      #expect(throws: JSONError.self) { try JSON.parse("{\(members.joined(separator: ","))}") }
    }
  }

  /// All keys of one and two of these, in the order of their UTF-16 code units.
  @Test func keysAreSortedByUTF16() throws {
    let parts = [
      "", "\u{1}", "0", "a", "~", "\u{80}", "\u{7ff}", "\u{d7ff}", "\u{e000}", "\u{ffff}", "\u{10000}", "\u{10ffff}",
    ]
    let keys = Set(parts.flatMap { first in parts.map { first + $0 } })
    for chosen in [keys, keys.filter { $0.unicodeScalars.allSatisfy { $0.value < 0x10000 } }] {
      var object = JSONObject()
      for key in chosen { object[key] = .null }
      let written = try JSON.parse(String(decoding: JSON.object(object).canonicalBytes(), as: UTF8.self))
      #expect(written.object?.keys == chosen.sorted { Array($0.utf16).lexicographicallyPrecedes(Array($1.utf16)) })
    }
  }

  @Test func everyByteIsEscapedAsItShouldBe() throws {
    let short: [UInt8: String] = [8: "b", 9: "t", 10: "n", 12: "f", 13: "r", 0x22: "\"", 0x5C: "\\"]
    for byte in UInt8(0)..<0x80 {
      let character = String(UnicodeScalar(byte))
      let digits = "0123456789abcdef".map(String.init)
      let wanted =
        short[byte].map { "\\" + $0 }
        ?? (byte < 0x20 ? "\\u00\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])" : character)
      for (text, written) in [
        (character, wanted), ("x" + character, "x" + wanted), (character + "é" + character, wanted + "é" + wanted),
      ] {
        let bytes = try JSON.string(text).canonicalBytes()
        #expect(String(decoding: bytes, as: UTF8.self) == "\"\(written)\"")
        #expect(try JSON.parse(String(decoding: bytes, as: UTF8.self)) == .string(text))
      }
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
