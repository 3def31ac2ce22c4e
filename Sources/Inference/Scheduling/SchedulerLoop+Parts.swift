import ModelGraph

extension SchedulerLoop {
  /// What one answer evaluates in a step.
  struct Part {
    let answer: Int
    let slice: Slice
    let isPrompt: Bool
    var draft: [Int32] = []
  }

  /// Waiting prompts share the room of a step evenly, and take turns with what is left over.
  func nextParts() -> [Part] {
    let prompts = promptsToContinue()
    var parts = nextTokens(drafting: prompts.isEmpty)
    if prompts.isEmpty { return parts }
    var room = parts.isEmpty ? max(options.prefillRowsPerStep, engine.options.prefillChunk) : options.prefillRowsPerStep
    turn = (turn + 1) % prompts.count
    for position in prompts.indices {
      let index = prompts[(position + turn) % prompts.count]
      let share = max(1, (room + prompts.count - position - 1) / (prompts.count - position))
      let rows = min(share, active[index].answer.promptLeft)
      if room < rows { break }
      parts.append(Part(answer: index, slice: active[index].answer.nextSlice(rows: rows), isPrompt: true))
      room -= rows
    }
    return parts
  }

  /// The answers that are being decoded, with drafts where a step has room for them.
  private func nextTokens(drafting: Bool) -> [Part] {
    let decoded = active.indices.filter { active[$0].answer.promptLeft == 0 }
    var room = drafting ? options.draftRowsPerStep - decoded.count : 0
    return decoded.enumerated().map { position, index in
      let share = (room + decoded.count - position - 1) / (decoded.count - position)
      let draft = active[index].draft(by: self.drafting, max: share)
      room -= draft.count
      return Part(
        answer: index, slice: active[index].answer.nextSlice(rows: 1, draft: draft), isPrompt: false, draft: draft)
    }
  }

  /// The answers whose prompts are to be evaluated, without those that need a page that another computes.
  ///
  /// The one that is furthest, or the first of equals, waits for nobody: there is always one to continue.
  private func promptsToContinue() -> [Int] {
    let prompts = active.indices.filter { active[$0].answer.promptLeft > 0 }
    if prefixes.isOff { return prompts }
    for index in prompts where active[index].hasWaited { reusePrefix(active[index]) }
    return prompts.filter { index in
      let own = active[index]
      own.hasWaited = prompts.contains { other in
        let isAhead = (active[other].answer.sequence.count, index) > (own.answer.sequence.count, other)
        return isAhead && own.waits(for: active[other])
      }
      return !own.hasWaited
    }
  }

  /// Takes over what is kept of the answer's prompt.
  func reusePrefix(_ answer: ActiveAnswer) { reusedSinceRecord += answer.reuse(from: &prefixes) }
}
