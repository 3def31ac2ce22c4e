/// A parsed regular expression.
indirect enum RegexNode {
  case empty
  case set(ScalarSet)
  case sequence([RegexNode])
  case alternation([RegexNode])
  case repetition(RegexNode, min: Int, max: Int?, kind: RepetitionKind)
  /// Once matched, never given back.
  case atomic(RegexNode)
  case lookahead(RegexNode, negated: Bool)
  /// One scalar wide.
  case lookbehind(ScalarSet, negated: Bool)
  case anchor(RegexAnchor)
}

enum RepetitionKind { case greedy, lazy, possessive }

enum RegexAnchor: Sendable {
  case lineStart, lineEnd, textStart, textEnd, textEndOrFinalNewline, wordBoundary, notWordBoundary
}
