import ModelGraph

/// Chooses the next tokens of several answers, which are independent of each other, on all members of a crew: going
/// through a vocabulary takes as long as some layers.
final class ChoiceProgram: CrewProgram {
  private var work: [(answer: ActiveAnswer, rows: ArraySlice<Logits>, draft: [Int32])] = []

  var count: Int { work.count }

  func add(_ answer: ActiveAnswer, _ rows: ArraySlice<Logits>, draft: [Int32]) { work.append((answer, rows, draft)) }

  /// Lets go of everything: whoever writes to the logits next must be the only one who has them.
  func removeAll() { work.removeAll(keepingCapacity: true) }

  func run(_ member: Crew.Member) {
    member.forEach(work.count) { index in
      let (answer, rows, draft) = work[index]
      answer.choose(rows, draft: draft)
    }
  }
}
