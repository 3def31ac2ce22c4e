import Digests
import Testing

import Tokenizers

/// Templates of real models, with what Jinja rendered.
@Suite struct ChatTemplateVectorTests {
  static let folder = TestFiles.shared.map { $0 + "/vectors/templates" }

  @Test(.enabled(if: folder != nil, "EVIDENT_SHARED is unset: the vectors of other projects are not at hand"))
  func rendersWhatJinjaRenders() throws {
    let folder = try #require(Self.folder)
    var cases = 0
    var refusals = 0
    for name in try TestFiles.names(in: folder) where name.hasSuffix(".json") {
      let vector = try JSON.parse(try TestFiles.bytes("\(folder)/\(name)"))
      let file = try #require(vector["template"]?.string)
      let source = String(decoding: try TestFiles.bytes("\(folder)/\(file)"), as: UTF8.self)
      let now = TemplateTime(try #require(vector["now"]?.string))
      #expect(now != nil)
      let template = try ChatTemplate(source: source)
      for (key, value) in try #require(vector["cases"]?.object).members {
        cases += 1
        let context = try #require(value["context"])
        if value["error"] != nil {
          refusals += 1
          #expect(throws: TemplateError.self, "\(name) \(key)") { try template.render(context: context, now: now) }
          continue
        }
        let expected = try #require(value["rendered"]?.string)
        do {
          let got = try template.render(context: context, now: now)
          #expect(got.utf8.elementsEqual(expected.utf8), "\(name) \(key): \(got.debugDescription)")
        } catch {
          Issue.record("\(name) \(key): \(error)")
        }
      }
    }
    print("\(cases) renderings, \(refusals) of them refusals")
    #expect(cases > 0)
  }
}
