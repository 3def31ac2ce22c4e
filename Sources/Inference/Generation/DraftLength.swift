/// How long the next draft of an answer may be, judged by its earlier ones; counts only, no clock.
///
/// Right drafts make the next one longer. Wrong ones make it shorter and put off the next, twice as long each
/// time, so that text without repetition is decoded as if there were no drafts.
package struct DraftLength {
  private let max: Int
  private var length: Int
  /// Steps still to go without a draft.
  private var pause = 0
  private var nextPause = 1

  /// Up to so many tokens cost about a third of a step more, so that one right token in three pays.
  private static let first = 3
  private static let pauseMax = 32

  package init(max: Int) {
    self.max = max
    length = min(max, DraftLength.first)
  }

  /// For one step; 0 for no draft.
  package mutating func take() -> Int {
    if pause == 0 { return length }
    pause -= 1
    return 0
  }

  package mutating func record(drafted: Int, accepted: Int) {
    if accepted == drafted {
      if drafted >= length { length = min(max, 2 * length + 1) }
      nextPause = Swift.max(1, nextPause / 2)
    } else if accepted > 0 {
      length = accepted
    } else {
      length = Swift.max(1, length / 2)
      pause = nextPause
      nextPause = min(2 * nextPause, DraftLength.pauseMax)
    }
  }
}
