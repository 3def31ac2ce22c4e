/// Which tokens have all of their text delivered, while text is decoded late and held back.
struct DeliveredTokens {
  /// After so many bytes of text, so many tokens have all of theirs; those that are not delivered yet, in order.
  private var marks: [(tokens: Int, bytes: Int)] = []
  private var decodedBytes = 0
  /// So many tokens, from the first.
  private(set) var count = 0

  /// Another piece of text was decoded.
  ///
  /// - Parameters:
  ///   - bytes: of the piece.
  ///   - tokens: so many, from the first, have all of their text in what was decoded so far.
  ///   - heldBytes: of the text so far, at its end, which are not delivered.
  mutating func decoded(bytes: Int, tokens: Int, heldBytes: Int) {
    decodedBytes += bytes
    if tokens > marks.last?.tokens ?? count { marks.append((tokens, decodedBytes)) }
    let delivered = marks.prefix { $0.bytes <= decodedBytes - heldBytes }
    if let last = delivered.last { count = last.tokens }
    marks.removeFirst(delivered.count)
  }
}
