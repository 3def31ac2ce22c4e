/// Runs a ``RegexProgram`` over one piece of text.
struct RegexMatcher {
  private let fast: RegexProgram
  private let linear: RegexProgram
  private let text: [UInt8]
  private let range: Range<Int>
  private let properties = UnicodeTables.properties
  /// What is left of the steps that plain backtracking may take.
  private var stepsLeft: Int
  /// Splits that have been tried, one bit each; empty while plain backtracking goes on.
  private var tried: [UInt64] = []
  private var stack: [Choice] = []
  private var lookaheads: [LookaheadMap?]

  /// What to try when the current attempt fails.
  private struct Choice {
    var pc: Int32
    var at: Int32
    /// For a run: where it began, so that it can be given back one scalar at a time. −1 otherwise.
    var runStart: Int32
  }
  private static let atomicMark: Int32 = -1

  init(_ fast: RegexProgram, _ linear: RegexProgram, _ text: [UInt8], _ range: Range<Int>) {
    self.fast = fast
    self.linear = linear
    self.text = text
    self.range = range
    stepsLeft = 64 * range.count + 4096
    lookaheads = Array(repeating: nil, count: fast.lookaheads.count)
  }

  mutating func firstMatch(from start: Int) -> Range<Int>? {
    var at = start
    while true {
      if let end = match(at) {
        if !tried.isEmpty { forget(at: end) }
        return at..<end
      }
      guard at < range.upperBound else { return nil }
      at += UTF8Text.scalar(text, at: at).length
    }
  }

  /// The end of the match that starts at `start`.
  private mutating func match(_ start: Int) -> Int? {
    if tried.isEmpty {
      let (end, isComplete) = run(fast, start, isLinear: false)
      if isComplete { return end }
      let bits = linear.memoCount * (range.count + 1)
      tried = Array(repeating: 0, count: bits / 64 + 1)
    }
    return run(linear, start, isLinear: true).end
  }

  /// Splits on the path of a match did not fail: the next match may come through them again.
  private mutating func forget(at end: Int) {
    for memo in 0..<linear.memoCount {
      let bit = memo * (range.count + 1) + end - range.lowerBound
      tried[bit / 64] &= ~(1 << UInt64(bit % 64))
    }
  }

  private mutating func run(
    _ program: RegexProgram, _ start: Int, isLinear: Bool
  ) -> (end: Int?, isComplete: Bool) {
    stack.removeAll(keepingCapacity: true)
    var pc = 0
    var at = start
    while true {
      var fails = false
      switch program.instructions[pc] {
      case .set(let set):
        if at < range.upperBound {
          let s = UTF8Text.scalar(text, at: at)
          if program.sets[set].contains(s.value, properties) {
            at += s.length
            pc += 1
          } else {
            fails = true
          }
        } else {
          fails = true
        }
      case .run(let set):
        let begin = at
        while at < range.upperBound {
          let s = UTF8Text.scalar(text, at: at)
          guard program.sets[set].contains(s.value, properties) else { break }
          at += s.length
        }
        stepsLeft -= at - begin
        pc += 1
        if at > begin { push(pc, at, runStart: begin) }
      case .split(let first, let second, let memo):
        if isLinear {
          let bit = memo * (range.count + 1) + at - range.lowerBound
          let mask: UInt64 = 1 << UInt64(bit % 64)
          if tried[bit / 64] & mask != 0 {
            fails = true
          } else {
            tried[bit / 64] |= mask
          }
        }
        if !fails {
          push(second, at, runStart: -1)
          pc = first
        }
      case .jump(let target): pc = target
      case .anchor(let anchor):
        fails = !holds(anchor, at)
        pc += 1
      case .nextIn(let set, let negated):
        fails = isNext(in: program.sets[set], at) == negated
        pc += 1
      case .lookahead(let index, let negated):
        fails = isAhead(program, index, at) == negated
        pc += 1
      case .lookbehind(let set, let negated):
        fails = isPrevious(in: program.sets[set], at) == negated
        pc += 1
      case .atomicBegin:
        stack.append(Choice(pc: Self.atomicMark, at: 0, runStart: -1))
        pc += 1
      case .atomicEnd:
        while let choice = stack.popLast(), choice.pc != Self.atomicMark {}
        pc += 1
      case .match: return (at, true)
      }
      stepsLeft -= 1
      if stepsLeft < 0, !isLinear { return (nil, false) }
      if fails {
        guard let next = popChoice() else { return (nil, true) }
        (pc, at) = next
      }
    }
  }

  @inline(__always)
  private mutating func push(_ pc: Int, _ at: Int, runStart: Int) {
    stack.append(
      Choice(
        pc: Int32(truncatingIfNeeded: pc), at: Int32(truncatingIfNeeded: at),
        runStart: Int32(truncatingIfNeeded: runStart)))
  }

  private mutating func popChoice() -> (Int, Int)? {
    while let choice = stack.popLast() {
      if choice.pc == Self.atomicMark { continue }
      if choice.runStart < 0 { return (Int(choice.pc), Int(choice.at)) }
      // Give back one scalar of the run, and keep the rest for later.
      let at = UTF8Text.index(before: Int(choice.at), in: text)
      if at > Int(choice.runStart) { push(Int(choice.pc), at, runStart: Int(choice.runStart)) }
      return (Int(choice.pc), at)
    }
    return nil
  }

  private func isNext(in set: CompiledSet, _ at: Int) -> Bool {
    at < range.upperBound && set.contains(UTF8Text.scalar(text, at: at).value, properties)
  }

  private func isPrevious(in set: CompiledSet, _ at: Int) -> Bool {
    guard at > range.lowerBound else { return false }
    return set.contains(UTF8Text.scalar(text, at: UTF8Text.index(before: at, in: text)).value, properties)
  }

  private mutating func isAhead(_ program: RegexProgram, _ index: Int, _ at: Int) -> Bool {
    if lookaheads[index] == nil { lookaheads[index] = LookaheadMap(program.lookaheads[index], text, range) }
    return lookaheads[index]?[at] ?? false
  }

  private func holds(_ anchor: RegexAnchor, _ at: Int) -> Bool { anchor.holds(at, text, range) }
}

extension RegexAnchor {
  func holds(_ at: Int, _ text: [UInt8], _ range: Range<Int>) -> Bool {
    let isStart = at == range.lowerBound
    let isEnd = at == range.upperBound
    switch self {
    case .textStart: return isStart
    case .textEnd: return isEnd
    case .lineStart: return isStart || (!isEnd && text[at - 1] == 0x0A)
    case .lineEnd: return isEnd || text[at] == 0x0A
    case .textEndOrFinalNewline: return isEnd || (at + 1 == range.upperBound && text[at] == 0x0A)
    case .wordBoundary, .notWordBoundary:
      let before =
        !isStart && UnicodeTables.has(.word, UTF8Text.scalar(text, at: UTF8Text.index(before: at, in: text)).value)
      let after = !isEnd && UnicodeTables.has(.word, UTF8Text.scalar(text, at: at).value)
      return (before != after) == (self == .wordBoundary)
    }
  }
}
