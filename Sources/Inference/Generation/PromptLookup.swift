/// Guesses the next tokens of an answer, so that one step can confirm several.
///
/// A wrong guess costs time and changes nothing.
package protocol Drafting: Sendable {
  /// - Parameters:
  ///   - tokens: prompt and answer so far, not empty.
  ///   - count: the most that may be guessed, at least 1.
  /// - Returns: ids of the vocabulary.
  func draft(after tokens: [Int32], count: Int) -> [Int32]
}

/// Guesses that what followed the last few tokens before follows them again: in quotations, in code, in lists.
///
/// Source: Saxena, "Prompt Lookup Decoding", 2023.
package struct PromptLookup: Drafting {
  /// Tokens that have to agree, and that are compared at most.
  private static let matchMin = 2
  private static let matchMax = 4

  package init() {}

  /// Continues after the longest match; of equal ones after the last.
  package func draft(after tokens: [Int32], count: Int) -> [Int32] {
    guard let start = PromptLookup.continuation(tokens) else { return [] }
    var draft: [Int32] = []
    // A match may reach into the draft itself: a period goes on.
    for index in start..<(start + count) {
      draft.append(index < tokens.count ? tokens[index] : draft[index - tokens.count])
    }
    return draft
  }

  /// Where the tokens after the best match begin.
  private static func continuation(_ tokens: [Int32]) -> Int? {
    var best: (length: Int, start: Int) = (matchMin - 1, 0)
    tokens.withUnsafeBufferPointer { tokens in
      let last = tokens.count - 1
      for end in stride(from: last - 1, to: -1, by: -1) where tokens[end] == tokens[last] {
        var length = 1
        while length < min(matchMax, end + 1), tokens[end - length] == tokens[last - length] { length += 1 }
        if length > best.length { best = (length, end + 1) }
        if length == matchMax { break }
      }
    }
    return best.length < matchMin ? nil : best.start
  }
}
