import Digests
import Testing

import Tokenizers

@Suite struct ChatTemplateTests {
  static func render(
    _ source: String, _ context: String = SmallTemplates.context, limits: ChatTemplate.Limits = .init()
  ) throws -> String {
    try ChatTemplate(source: source).render(
      context: try JSON.parse(context), now: TemplateTime(year: 2026, month: 11, day: 20), limits: limits)
  }

  @Test func rendersChatML() throws {
    #expect(
      try Self.render(SmallTemplates.chatML)
        == "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi <b>\"you\"</b><|im_end|>\n<|im_start|>assistant\n"
    )
  }

  @Test func rendersALittleOfEverything() throws {
    // As Jinja2 3.1.6 renders it.
    let expected = """
      1/2;2/2![system, user] [a-b] 24
      [{"name": "f", "parameters": {"a": 1, "b": [true, null, 1.5, "é"]}}]
      {
        "name": "f",
        "parameters": {
          "a": 1,
          "b": [
            true,
            null,
            1.5,
            "é"
          ]
        }
      }
      SHOUT BE BRIEF.inside ['user', 'system']
      3 3 -4 2 1024
      0220 Nov 2026 True False None
      {{ raw }}
      """
    #expect(try Self.render(SmallTemplates.busy) == expected)
  }

  @Test(arguments: [
    ("{{ lipsum() }}", "the function \"lipsum\""), ("{% extends 'x' %}", "the tag \"extends\""),
    ("{{ 1 | pprint }}", "the filter \"pprint\""), ("{{ 'a' is nope }}", "the test \"nope\""),
    ("{{ '%f' % 1 }}", "the format %f"), ("{{ 1.5 + 1 }}", "arithmetic on fractions"),
    ("{{ 9223372036854775807 + 1 }}", "an integer beyond 64 bits"), ("{{ f(*a) }}", "unpacking arguments"),
  ])
  func namesWhatItDoesNotSupport(_ source: String, _ what: String) {
    #expect(throws: TemplateError.unsupported(what, line: 1)) { try Self.render(source) }
  }

  /// `not` stands above comparisons, so it is no operand of one; Jinja2 3.1.6 refuses the same.
  @Test(arguments: [
    "1 < not 2", "1 == not 0", "1 in not [2]", "1 + not 0", "1 ~ not 2", "2 * not 1", "- not 1", "1 is eq not 2",
    "(1 < not 2 or 5)", "true == not false == not true",
  ])
  func notIsNoOperand(_ expression: String) {
    #expect { try Self.render("{{ \(expression) }}") } throws: { error in
      if case TemplateError.syntax = error { true } else { false }
    }
  }

  @Test(arguments: [
    ("1 < (not 2)", "False"), ("not 1 == 2", "True"), ("not 1 < 2 < 3", "False"), ("not not 1", "True"),
    ("not (1) not in [1]", "True"), ("[not 1]", "[False]"), ("not 1 is none", "True"), ("1 if not 0 else 2", "1"),
  ])
  func notTakesAWholeComparison(_ expression: String, _ expected: String) throws {
    #expect(try Self.render("{{ \(expression) }}") == expected)
  }

  @Test func anExceptionThatTheTemplateRaisesIsItsOwnKind() {
    #expect(throws: TemplateError.raised("no system")) { try Self.render("{{ raise_exception('no system') }}") }
  }

  @Test func theTimeComesFromTheCaller() throws {
    let template = try ChatTemplate(source: "{{ strftime_now('%A %d %B %Y') }}")
    #expect(throws: TemplateError.self) { try template.render(context: [:]) }
    let now = TemplateTime("2024-02-29T23:59:59")
    #expect(try template.render(context: [:], now: now) == "Thursday 29 February 2024")
    #expect(TemplateTime("2023-02-29T00:00:00") == nil)
  }

  /// Without the limits, most of these would never end.
  @Test(
    .timeLimit(.minutes(5)),
    arguments: [
      "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}",
      "{% set ns = namespace(s='x') %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
      "{% set ns = namespace(s=['x']) %}{% for i in range(99) %}{% set ns.s = ns.s + ns.s %}{% endfor %}",
      "{% set ns = namespace(s=1) %}{% for i in range(90) %}{% set ns.s = [ns.s, ns.s] %}{% endfor %}{{ ns.s }}",
      "{% set ns = namespace(s=1) %}{% for i in range(9999) %}{% set ns.s = [ns.s] %}{% endfor %}{{ ns.s }}",
      "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}", "{{ 'x' * 999999999999 }}", "{{ [1] * 9999999999 }}",
      "{% for i in range(99999) %}{{ 'x' * 9999 }}{% endfor %}", "{{ ('x' * 99999).replace('', 'x' * 99999) }}",
      "{{ [1, [2]] | tojson(indent=99999999) }}", "{{ 'a\nb' | indent(99999999999) }}", "{{ range(99999999999) }}",
    ])
  func boundsWhatATemplateMayUse(_ source: String) {
    let limits = ChatTemplate.Limits(stepsMax: 200_000, outputBytesMax: 1 << 20, workBytesMax: 64 << 20)
    do {
      _ = try Self.render(source, limits: limits)
      Issue.record("\(source) was rendered")
    } catch TemplateError.limit {
    } catch {
      Issue.record("\(source): \(error)")
    }
  }

  @Test(arguments: [
    (String(repeating: "(", count: 100_000), ""), (String(repeating: "[", count: 100_000), ""),
    (String(repeating: "not ", count: 100_000), "x"), (String(repeating: "-", count: 100_000), "1"),
    ("x" + String(repeating: ".a", count: 100_000), ""), ("x" + String(repeating: "|list", count: 100_000), ""),
    ("1" + String(repeating: "+1", count: 100_000), ""), ("a" + String(repeating: " if b else a", count: 100_000), ""),
  ])
  func deepExpressionsAreRefusedNotRecursedInto(_ start: String, _ end: String) {
    #expect(throws: TemplateError.self) { try ChatTemplate(source: "{{ \(start)\(end) }}") }
  }

  @Test(arguments: [
    ("{{ 'a'.zfill(-9223372036854775807 - 1) }}", "a"),
    ("{{ 'abc'[-9223372036854775807 - 1:9223372036854775807] }}", "abc"),
    ("{{ [1, 2][::-9223372036854775807 - 1] }}", "[2]"), ("{{ [1][-9223372036854775807 - 1] }}", ""),
    ("{{ 'x' * (-9223372036854775807 - 1) }}", ""),
    ("{{ range(9223372036854775806, 9223372036854775807) | list }}", "[9223372036854775806]"),
    ("{{ (-9223372036854775807 - 1) is divisibleby(-1) }}", "True"),
    ("{{ 'a\nb' | indent(-9223372036854775807 - 1) }}", "a\nb"),
    ("{{ n is number }}{{ n is integer }}", "TrueFalse"),
  ])
  func extremeNumbersDoNoHarm(_ source: String, _ expected: String) throws {
    #expect(try Self.render(source, #"{"n": 1e-9223372036854775808}"#) == expected)
  }

  @Test func deepBlocksAreRefusedNotRecursedInto() {
    let source = String(repeating: "{% if true %}", count: 50_000)
    #expect(throws: TemplateError.self) { try ChatTemplate(source: source) }
  }
}
