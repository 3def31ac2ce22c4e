/// A regular expression over UTF-8 that takes time linear in the text, whatever the expression and the text.
///
/// Matches are those of a backtracking engine (first alternative first, greedy unless lazy). A plain
/// backtracking run comes first, because it is fastest on every expression in use; when it takes more than
/// a fixed number of steps per byte, the rest of the text is matched with a memory of which
/// (instruction, position) pairs have failed, so that none is tried twice.
struct Regex: Sendable {
  private let fast: RegexProgram
  private let linear: RegexProgram

  init(_ pattern: [UInt8]) throws(TokenizerError) {
    let node = try RegexParser.parse(pattern)
    fast = try RegexProgram(node, usesRuns: true)
    linear = try RegexProgram(node, usesRuns: false)
  }

  init(_ pattern: String) throws(TokenizerError) { try self.init(Array(pattern.utf8)) }

  /// Calls `body` with every match in `range`, in order. What lies outside `range` is not looked at.
  ///
  /// An empty match directly after a match is skipped, as Oniguruma's iterator does.
  func forEachMatch(in text: [UInt8], _ range: Range<Int>, _ body: (Range<Int>) -> Void) {
    var matcher = RegexMatcher(fast, linear, text, range)
    var at = range.lowerBound
    var lastEnd: Int?
    while at <= range.upperBound, let match = matcher.firstMatch(from: at) {
      if match.isEmpty, lastEnd == match.lowerBound {
        at += at < range.upperBound ? UTF8Text.scalar(text, at: at).length : 1
        continue
      }
      at = match.upperBound
      lastEnd = at
      body(match)
    }
  }
}
