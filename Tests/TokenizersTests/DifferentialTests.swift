import Digests
import Testing

import Tokenizers

/// Compares with ids that `Reference/tokenizers/differential.py` had Hugging Face `tokenizers` compute.
@Suite struct DifferentialTests {
  static let folder = TestFiles.environment("EVIDENT_TOKENIZER_CASES")

  @Test(.enabled(if: folder != nil, "EVIDENT_TOKENIZER_CASES is unset: run Reference/tokenizers/differential.py"))
  func idsEqualThoseOfHuggingFace() throws {
    let folder = try #require(Self.folder)
    var total = 0
    for name in try TestFiles.names(in: folder) {
      let tokenizer = try Tokenizer(json: try TestFiles.bytes("\(folder)/\(name)/tokenizer.json"))
      let lines = try TestFiles.bytes("\(folder)/\(name)/cases.jsonl").split(separator: 0x0A)
      var differences = 0
      for line in lines {
        let object = try JSON.parse(Array(line))
        let text = try #require(object["text"]?.string)
        func ids(_ key: String) -> [Int32]? { object[key]?.array?.compactMap { $0.integer.map { Int32($0) } } }
        var problems: [String] = []
        if let expected = ids("ids") {
          let got = tokenizer.encode(text, addSpecialTokens: false)
          if got != expected { problems.append("ids \(got) instead of \(expected)") }
          if let decoded = object["decoded"]?.string {
            let back = tokenizer.decodeText(expected)
            if !back.utf8.elementsEqual(decoded.utf8) { problems.append("decoded \(back.debugDescription)") }
            var stream = tokenizer.streamingDecoder()
            var streamed = expected.map { stream.push($0) }.joined()
            streamed += stream.finish()
            if !streamed.utf8.elementsEqual(back.utf8) { problems.append("streamed \(streamed.debugDescription)") }
          }
        }
        if let expected = ids("framed"), tokenizer.encode(text, addSpecialTokens: true) != expected {
          problems.append("framed \(tokenizer.encode(text, addSpecialTokens: true)) instead of \(expected)")
        }
        if let expected = ids("plain") {
          let got = tokenizer.encode(text, addSpecialTokens: false, allowSpecial: false)
          if got != expected { problems.append("plain \(got) instead of \(expected)") }
        }
        if !problems.isEmpty {
          differences += 1
          if differences <= 3 { Issue.record("\(name): \(text.prefix(300).debugDescription): \(problems)") }
        }
      }
      print("\(name): \(lines.count) strings, \(differences) differences")
      #expect(differences == 0)
      total += lines.count
    }
    print("\(total) strings in all")
    #expect(total > 0)
  }
}
