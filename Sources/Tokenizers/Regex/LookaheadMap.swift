/// Where the body of a look-ahead matches, for every position of a text at once.
///
/// Computed from the end of the text backwards: an instruction can reach the end of its program from a
/// position if one of its successors can. One pass, whatever the expression.
struct LookaheadMap {
  private let lowerBound: Int
  private var bits: [UInt64]

  subscript(_ at: Int) -> Bool {
    let bit = at - lowerBound
    return bits[bit / 64] >> UInt64(bit % 64) & 1 != 0
  }

  init(_ program: RegexProgram, _ text: [UInt8], _ range: Range<Int>) {
    lowerBound = range.lowerBound
    bits = Array(repeating: 0, count: range.count / 64 + 1)
    let inner = program.lookaheads.map { LookaheadMap($0, text, range) }
    let properties = UnicodeTables.properties
    let count = program.instructions.count
    var after = [Bool](repeating: false, count: count)
    var here = after
    var at = range.upperBound
    while true {
      let next = at < range.upperBound ? UTF8Text.scalar(text, at: at).value : nil
      for i in 0..<count { here[i] = false }
      var changes = true
      while changes {
        changes = false
        for i in stride(from: count - 1, through: 0, by: -1) where !here[i] {
          let reaches: Bool
          switch program.instructions[i] {
          case .set(let set): reaches = next.map { after[i + 1] && program.sets[set].contains($0, properties) } ?? false
          case .split(let a, let b, _): reaches = here[a] || here[b]
          case .jump(let target): reaches = here[target]
          case .anchor(let anchor): reaches = here[i + 1] && anchor.holds(at, text, range)
          case .nextIn(let set, let negated):
            let isIn = next.map { program.sets[set].contains($0, properties) } ?? false
            reaches = here[i + 1] && isIn != negated
          case .lookahead(let index, let negated): reaches = here[i + 1] && inner[index][at] != negated
          case .lookbehind(let set, let negated):
            var isIn = false
            if at > range.lowerBound {
              let previous = UTF8Text.scalar(text, at: UTF8Text.index(before: at, in: text)).value
              isIn = program.sets[set].contains(previous, properties)
            }
            reaches = here[i + 1] && isIn != negated
          case .match: reaches = true
          // The compiler puts neither into a look-ahead.
          case .run, .atomicBegin, .atomicEnd: reaches = false
          }
          if reaches {
            here[i] = true
            changes = true
          }
        }
      }
      if here[0] { bits[(at - lowerBound) / 64] |= 1 << UInt64((at - lowerBound) % 64) }
      if at == range.lowerBound { return }
      swap(&here, &after)
      at = UTF8Text.index(before: at, in: text)
    }
  }
}
