import Digests
import TestSupport
import Testing

import Tokenizers

/// Compares with what `Reference/tokenizers/template_differential.py` had Jinja2 render.
@Suite struct ChatTemplateDifferentialTests {
  static let file = TestFiles.environment("EVIDENT_TEMPLATE_CASES")

  @Test(.enabled(if: file != nil, "EVIDENT_TEMPLATE_CASES is unset: run Reference/tokenizers/template_differential.py"))
  func rendersWhatJinjaRenders() throws {
    let lines = try TestFiles.bytes(try #require(Self.file)).split(separator: 0x0A)
    let header = try JSON.parse(Array(try #require(lines.first)))
    let context = try #require(header["context"])
    let now = TemplateTime(year: 2026, month: 11, day: 20, hour: 12)
    var differences = 0
    var refusals = 0
    var unsupported: [String: Int] = [:]
    for line in lines.dropFirst() {
      let object = try JSON.parse(Array(line))
      let source = try #require(object["template"]?.string)
      let got: Result<String, any Error> = Result {
        try ChatTemplate(source: source).render(context: context, now: now)
      }
      switch (got, object["rendered"]?.string) {
      case (.success(let text), let expected?):
        if text.utf8.elementsEqual(expected.utf8) { continue }
        differences += 1
        Issue.record("\(source)\n  \(text.debugDescription)\n  \(expected.debugDescription)")
      case (.failure(let error), let expected):
        if case .unsupported(let what, _)? = error as? TemplateError {
          unsupported[what, default: 0] += 1
        } else if expected == nil {
          refusals += 1
        } else {
          differences += 1
          Issue.record("\(source)\n  \(error)\n  \(expected?.debugDescription ?? "")")
        }
      case (.success(let text), nil):
        differences += 1
        Issue.record("\(source)\n  \(text.debugDescription)\n  \(object["error"]?.string ?? "")")
      }
    }
    print("\(lines.count - 1) templates, \(differences) differences, \(refusals) refused by both")
    for (what, count) in unsupported.sorted(by: { $0.value > $1.value }) { print("not supported: \(what): \(count)") }
  }
}
