import Digests
import TestSupport
import Testing

import Tokenizers

/// Definitions and templates that someone has damaged: an error or a tokenizer, never a crash.
@Suite struct MutationTests {
  static func mutated(_ bytes: [UInt8], _ generator: inout SeededGenerator) -> [UInt8] {
    var out = bytes
    switch Int.random(in: 0..<5, using: &generator) {
    case 0: out.removeLast(Int.random(in: 0..<out.count, using: &generator))
    case 1:
      for _ in 0..<Int.random(in: 1..<8, using: &generator) {
        out[Int.random(in: 0..<out.count, using: &generator)] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
      }
    case 2:
      let start = Int.random(in: 0..<out.count, using: &generator)
      out.removeSubrange(start..<min(out.count, start + Int.random(in: 1..<40, using: &generator)))
    case 3:
      let start = Int.random(in: 0..<out.count, using: &generator)
      let piece = out[start..<min(out.count, start + Int.random(in: 1..<40, using: &generator))]
      out.insert(contentsOf: piece, at: Int.random(in: 0..<out.count, using: &generator))
    default:
      let words = [
        "-1", "9999999999", "null", "[]", "{}", "\"\"", "true", "1e9", "(", "{3,2}", "\\\\p{", "%}", "{{", "}}", "'",
      ]
      let word = words[Int.random(in: 0..<words.count, using: &generator)]
      out.insert(contentsOf: word.utf8, at: Int.random(in: 0..<out.count, using: &generator))
    }
    return out
  }

  @Test func damagedDefinitionsAreRefusedOrWork() {
    var generator = SeededGenerator("EVIDENT_TOKENIZER_SEED", default: 11)
    var accepted = 0
    for definition in [SmallTokenizers.byteLevel, SmallTokenizers.unigram, SmallTokenizers.wordPiece] {
      for _ in 0..<400 {
        guard let tokenizer = try? Tokenizer(json: Self.mutated(Array(definition.utf8), &generator)) else { continue }
        accepted += 1
        let ids = tokenizer.encode("<s>hello w\u{f6}rld! 'S 123 \n", addSpecialTokens: true)
        _ = tokenizer.encode("aab<|end|> \u{301}", addSpecialTokens: false, allowSpecial: false)
        _ = tokenizer.decode(ids)
        _ = tokenizer.tokenBytes(3)
      }
    }
    print("\(accepted) of 1200 damaged definitions were still definitions")
    #expect(accepted > 0)
  }

  @Test func damagedTemplatesAreRefusedOrWork() throws {
    var generator = SeededGenerator("EVIDENT_TEMPLATE_SEED", default: 13)
    var sources = [SmallTemplates.chatML, SmallTemplates.busy]
    if let shared = TestFiles.shared {
      let folder = shared + "/vectors/templates"
      for name in try TestFiles.names(in: folder) where name.hasSuffix(".jinja") {
        sources.append(String(decoding: try TestFiles.bytes("\(folder)/\(name)"), as: UTF8.self))
      }
    }
    let context = try JSON.parse(SmallTemplates.context)
    let now = TemplateTime(year: 2026, month: 11, day: 20)
    let limits = ChatTemplate.Limits(stepsMax: 50_000, outputBytesMax: 1 << 20, workBytesMax: 16 << 20)
    var rendered = 0
    for source in sources {
      for _ in 0..<300 {
        let damaged = String(decoding: Self.mutated(Array(source.utf8), &generator), as: UTF8.self)
        guard let template = try? ChatTemplate(source: damaged) else { continue }
        if (try? template.render(context: context, now: now, limits: limits)) != nil { rendered += 1 }
      }
    }
    print("\(rendered) of \(300 * sources.count) damaged templates still rendered")
    #expect(rendered > 0)
  }
}
