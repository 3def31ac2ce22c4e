import Digests
import TestSupport
import Testing

import Tokenizers

/// Compares with ids that `Reference/tokenizers/differential.py` had other people's tokenizers compute.
@Suite struct DifferentialTests {
  static let folder = TestFiles.environment("EVIDENT_TOKENIZER_CASES")
  static let families = folder.flatMap { try? TestFiles.names(in: $0) } ?? []

  @Test(
    .enabled(
      if: folder != nil, "EVIDENT_TOKENIZER_CASES is unset: run scripts/tokenizer-differential.sh"),
    arguments: families)
  func idsEqualThoseOfOthers(_ name: String) throws {
    let folder = try #require(Self.folder)
    let tokenizer = try Tokenizer(modelFile: try TestFiles.bytes("\(folder)/\(name)/tokenizer"))
    let lines = try TestFiles.bytes("\(folder)/\(name)/cases.jsonl").split(separator: 0x0A)
    var differences = 0
    for line in lines {
      let object = try JSON.parse(Array(line))
      let text = try #require(object["text"]?.string)
      func ids(_ key: String) -> [Int32]? { object[key]?.array?.compactMap { $0.integer.map { Int32($0) } } }
      var problems: [String] = []
      func compare(_ key: String, special: Bool, allowSpecial: Bool) {
        guard let expected = ids(key) else { return }
        let got = tokenizer.encode(text, addSpecialTokens: special, allowSpecial: allowSpecial)
        if got != expected { problems.append("\(key) \(got) instead of \(expected)") }
      }
      compare("ids", special: false, allowSpecial: true)
      compare("framed", special: true, allowSpecial: true)
      compare("plain", special: false, allowSpecial: false)
      let sequence = try #require(ids("ids") ?? ids("plain"))
      let whole = tokenizer.decodeText(sequence)
      if let decoded = object["decoded"]?.string, !whole.utf8.elementsEqual(decoded.utf8) {
        problems.append("decoded \(whole.debugDescription)")
      }
      // Streams give the same, and no half of a character.
      var stream = tokenizer.streamingDecoder()
      var streamed = ""
      for id in sequence {
        let part = stream.push(id)
        if part.unicodeScalars.contains("\u{FFFD}"), !whole.unicodeScalars.contains("\u{FFFD}") {
          problems.append("half a character")
        }
        streamed += part
      }
      streamed += stream.finish()
      if !streamed.utf8.elementsEqual(whole.utf8) { problems.append("streamed \(streamed.debugDescription)") }
      if !problems.isEmpty {
        differences += 1
        if differences <= 3 { Issue.record("\(name): \(text.prefix(300).debugDescription): \(problems)") }
      }
    }
    print("\(name): \(lines.count) strings, \(differences) differences")
    #expect(differences == 0)
    #expect(!lines.isEmpty)
  }
}
