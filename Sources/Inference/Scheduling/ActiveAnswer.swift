import ModelGraph

/// An answer that has a place in every step.
final class ActiveAnswer {
  let job: GenerationJob
  var answer: Answer
  /// Whether the last step left its prompt alone because another answer was computing the same page.
  var hasWaited = false
  typealias Choice = (tokens: [Int32], finish: FinishReason?)
  /// What was chosen last.
  private(set) var choice: Choice?
  /// Whole pages that the prefix cache has heard of.
  private var pagesKept = 0
  private var draftLength: DraftLength

  init(_ engine: Engine, _ job: GenerationJob, draftTokensMax: Int) {
    draftLength = DraftLength(max: draftTokensMax)
    self.job = job
    answer = Answer(
      engine, prompt: job.prompt, parameters: job.parameters, streamKey: job.streamKey, endTokens: job.endTokens)
  }

  // MARK: Drafts

  /// A guess of at most `max` tokens to come.
  func draft(by drafting: any Drafting, max: Int) -> [Int32] {
    let max = min(max, answer.draftRoom)
    guard max > 0 else { return [] }
    let count = min(max, draftLength.take())
    return count > 0 ? drafting.draft(after: answer.tokens, count: count) : []
  }

  /// Takes the next tokens from the logits after the last one and after those of a draft, and notes them in
  /// ``choice``.
  func choose(_ rows: ArraySlice<Logits>, draft: [Int32]) {
    let chosen = answer.choose(rows, draft: draft)
    if !draft.isEmpty { draftLength.record(drafted: draft.count, accepted: chosen.tokens.count - 1) }
    choice = chosen
  }

  // MARK: Prefixes

  /// Takes over what is kept of the prompt, as far as nothing has been evaluated.
  ///
  /// - Returns: the number of tokens that need not be evaluated any more.
  func reuse(from prefixes: inout PrefixCache) -> Int {
    let sequence = answer.sequence
    guard !prefixes.isOff, sequence.count % PageLayout.positions == 0, sequence.count < sharedEnd else { return 0 }
    let pages = prefixes.pages(
      of: job.prompt, from: sequence.count / PageLayout.positions, to: sharedEnd / PageLayout.positions)
    for page in pages { sequence.append(shared: page) }
    job.addReused(pages.count * PageLayout.positions)
    return pages.count * PageLayout.positions
  }

  /// Hands over the pages that have become whole.
  func keep(in prefixes: inout PrefixCache) {
    let pages = answer.sequence.count / PageLayout.positions
    guard !prefixes.isOff, pages > pagesKept else { return }
    prefixes.keep(answer.sequence, tokens: answer.tokens)
    pagesKept = pages
  }

  /// Whether `other` is about to compute the page that this prompt needs next.
  func waits(for other: ActiveAnswer) -> Bool {
    let (start, end) = (answer.sequence.count, answer.sequence.count + PageLayout.positions)
    guard start % PageLayout.positions == 0, end <= sharedEnd else { return false }
    guard start..<end ~= other.answer.sequence.count, other.job.prompt.count >= end else { return false }
    return job.prompt[..<end] == other.job.prompt[..<end]
  }

  /// The prompt's end, rounded down to a page. The last token is evaluated in any case: its logits are needed.
  private var sharedEnd: Int { (job.prompt.count - 1) / PageLayout.positions * PageLayout.positions }
}
