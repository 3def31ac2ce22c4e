import Digests
import TestSupport
import Testing

import Tokenizers

/// Templates of real models, with what Jinja rendered.
@Suite struct ChatTemplateVectorTests {
  static let folder = TestFiles.shared.map { $0 + "/vectors/templates" }
  /// What `Reference/tokenizers/template_vectors.py` wrote.
  static let generated = TestFiles.environment("EVIDENT_TEMPLATE_VECTORS")

  @Test(.enabled(if: folder != nil, "EVIDENT_SHARED is unset: the vectors of other projects are not at hand"))
  func rendersWhatJinjaRenders() throws { try check(try #require(Self.folder)) }

  @Test(
    .enabled(
      if: generated != nil, "EVIDENT_TEMPLATE_VECTORS is unset: run Reference/tokenizers/template_vectors.py"))
  func rendersGeneratedConversationsAsJinjaDoes() throws { try check(try #require(Self.generated)) }

  private func check(_ folder: String) throws {
    var cases = 0
    var refusals = 0
    var templates = 0
    for name in try TestFiles.names(in: folder) where name.hasSuffix(".json") {
      let vector = try JSON.parse(try TestFiles.bytes("\(folder)/\(name)"))
      let file = try #require(vector["template"]?.string)
      let source = String(decoding: try TestFiles.bytes("\(folder)/\(file)"), as: UTF8.self)
      let now = TemplateTime(try #require(vector["now"]?.string))
      #expect(now != nil)
      templates += 1
      let template: ChatTemplate
      do { template = try ChatTemplate(source: source) } catch {
        Issue.record("\(name): \(error)")
        continue
      }
      var differences = 0
      for (key, value) in try #require(vector["cases"]?.object).members {
        cases += 1
        let context = try #require(value["context"])
        let expected = value["rendered"]?.string
        let got: Result<String, any Error> = Result { try template.render(context: context, now: now) }
        switch (got, expected) {
        case (.success(let text), let expected?) where text.utf8.elementsEqual(expected.utf8): continue
        case (.failure, nil):
          refusals += 1
          continue
        default: break
        }
        differences += 1
        if differences <= 2 { Issue.record("\(name) \(key): \(got)\n  \(expected ?? value["error"]?.string ?? "")") }
      }
      #expect(differences == 0, "\(name): \(differences) differences")
    }
    print("\(templates) templates, \(cases) renderings, \(refusals) of them refusals")
    #expect(cases > 0)
  }
}
