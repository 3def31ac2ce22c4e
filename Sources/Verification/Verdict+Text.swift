import ModelGraph
import Receipts

extension Verdict {
  /// The verdict for people: a line per check, a row per level, and what remains to be believed.
  ///
  /// Nothing in it can move a terminal's cursor or change the direction of its text, whatever the
  /// evidence contains.
  ///
  /// - Parameter color: with ANSI colours.
  public func text(color: Bool) -> String {
    let paint = Paint(isOn: color)
    var out = ""
    func line(_ text: String = "") { out += text + "\n" }

    if let claim {
      line("response \(claim.responseID), receipt \(claim.receiptID)")
      line("model    \(claim.model.manifest) (asked for as \"\(Shown.short(claim.model.requestedName, 80))\")")
      line("node     \(claim.node.publicKey), \(Shown.short(claim.node.software, 80)), \(claim.time)")
    }
    switch opening {
    case .answer(let opening):
      if let asked = opening.request.lastText {
        line("asked    \(Shown.short(asked, 200))")
        line("answered \(Shown.short(opening.text, 200))")
      }
    case .embedding(let opening):
      if case .text(let first) = opening.request.inputs.first { line("embedded \(Shown.short(first, 200))") }
      line("inputs   \(opening.inputTokens.count), vectors of \(opening.vectors.first?.values.count ?? 0) elements")
    case nil: break
    }
    if !out.isEmpty { line() }

    for result in checks {
      let title = Shown.padded(result.check.title, 17)
      line("\(paint.outcome(result.outcome)) \(title) \(Shown.clean(result.outcome.reason))")
      if case .fail = result.outcome, let hint = result.outcome.hint { line("     hint: \(Shown.clean(hint))") }
    }
    line()
    for row in levels {
      let reason = row.reason ?? (row.state == .established ? row.level.establishes : "a check failed")
      line("\(Shown.padded(row.level.rawValue, 9)) \(Shown.padded(row.state.word, 14)) \(Shown.clean(reason))")
    }
    line()
    if let randomness { line("randomness: \(randomness)") }
    line("you still trust:")
    for item in stillTrusted { line("  - \(Shown.clean(item))") }
    line("not checked:")
    for item in notChecked { line("  - \(Shown.clean(item))") }
    for hint in openHints { line("hint: \(Shown.clean(hint))") }
    line()
    line(paint.verdict(outcome, headline))
    return out
  }

  /// The verdict in one line.
  public var headline: String {
    let established = levels.filter { $0.state == .established }
      .map { $0.level.rawValue + ($0.remark == nil ? "" : " (without witnesses)") }.joined(separator: ", ")
    switch outcome {
    case .verified: return "VERIFIED: \(established)"
    case .refuted:
      let failed = checks.filter { if case .fail = $0.outcome { true } else { false } }.map(\.check.title)
      return "REFUTED: \(failed.joined(separator: ", "))"
    case .unchecked: return "NOT CHECKED: something that was asked for could not be checked"
    }
  }

  /// Hints for what was asked for and skipped, each once.
  private var openHints: [String] {
    guard outcome == .unchecked else { return [] }
    var out: [String] = []
    for result in checks where asked.isAskedFor(result.check.need) {
      if case .skip = result.outcome, let hint = result.outcome.hint, !out.contains(hint) { out.append(hint) }
    }
    return out
  }
}

extension Request {
  /// What was asked last.
  fileprivate var lastText: String? {
    switch self {
    case .chat(let messages): messages.last?.content
    case .completion(let prompt): prompt
    }
  }
}

private struct Paint {
  let isOn: Bool

  func outcome(_ outcome: CheckOutcome) -> String {
    switch outcome {
    case .pass: wrap("PASS", "32")
    case .fail: wrap("FAIL", "31;1")
    case .skip: wrap("SKIP", "33")
    }
  }

  func verdict(_ outcome: Verdict.Outcome, _ text: String) -> String {
    switch outcome {
    case .verified: wrap(text, "32;1")
    case .refuted: wrap(text, "31;1")
    case .unchecked: wrap(text, "33;1")
    }
  }

  private func wrap(_ text: String, _ code: String) -> String { isOn ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text }
}

/// Text that others wrote, made safe to show.
enum Shown {
  /// Line breaks become spaces; control and format characters become U+FFFD.
  static func clean(_ text: String) -> String {
    var out = String.UnicodeScalarView()
    for scalar in text.unicodeScalars {
      switch scalar.properties.generalCategory {
      case .control where scalar == "\n" || scalar == "\t" || scalar == "\r": out.append(" ")
      case .control, .format, .surrogate, .privateUse, .unassigned, .lineSeparator, .paragraphSeparator:
        out.append("\u{FFFD}")
      default: out.append(scalar)
      }
    }
    return String(out)
  }

  /// At most `count` scalars: a single character may have any number of them.
  static func short(_ text: String, _ count: Int) -> String {
    let start = text.unicodeScalars.prefix(count)
    return clean(String(start)) + (start.endIndex < text.unicodeScalars.endIndex ? "…" : "")
  }

  static func padded(_ text: String, _ width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
