/// A compiled regular expression: instructions for a backtracking matcher.
struct RegexProgram: Sendable {
  enum Instruction: Sendable {
    /// One scalar of the set.
    case set(Int)
    /// As many scalars of the set as there are, given back one at a time. Only in the fast program.
    case run(Int)
    /// Try the first target, then the second.
    case split(Int, Int, memo: Int)
    case jump(Int)
    case anchor(RegexAnchor)
    case lookahead(Int, negated: Bool)
    /// A look-ahead that is one scalar wide.
    case nextIn(Int, negated: Bool)
    case lookbehind(Int, negated: Bool)
    case atomicBegin
    case atomicEnd
    case match
  }

  static let instructionsMax = 4096
  /// Bounds the matcher's memory to this many bits per byte of text.
  static let splitsMax = 256

  private(set) var instructions: [Instruction] = []
  private(set) var sets: [CompiledSet] = []
  private(set) var lookaheads: [RegexProgram] = []
  /// How many `split` instructions there are: each has one bit of memory per position.
  private(set) var memoCount = 0
  private let usesRuns: Bool
  private var nodesCompiled = 0

  /// - Parameter usesRuns: the fast program, whose worst case is not linear (``RegexMatcher``).
  init(_ node: RegexNode, usesRuns: Bool) throws(TokenizerError) {
    self.usesRuns = usesRuns
    try compile(node, inLookahead: false)
    try append(.match)
  }

  private init(lookahead node: RegexNode) throws(TokenizerError) {
    usesRuns = false
    try compile(node, inLookahead: true)
    try append(.match)
  }

  private mutating func append(_ instruction: Instruction) throws(TokenizerError) {
    guard instructions.count < Self.instructionsMax else {
      throw .tooLarge(
        what: "instructions in a regular expression", count: instructions.count + 1, countMax: Self.instructionsMax)
    }
    instructions.append(instruction)
  }

  private mutating func split() throws(TokenizerError) -> Int {
    try append(.split(0, 0, memo: memoCount))
    memoCount += 1
    guard memoCount <= Self.splitsMax else {
      throw .tooLarge(what: "choices in a regular expression", count: memoCount, countMax: Self.splitsMax)
    }
    return instructions.count - 1
  }

  private mutating func patch(_ at: Int, first: Int, second: Int) {
    if case .split(_, _, let memo) = instructions[at] { instructions[at] = .split(first, second, memo: memo) }
  }

  private mutating func addSet(_ set: ScalarSet) -> Int {
    sets.append(CompiledSet(set))
    return sets.count - 1
  }

  private mutating func compile(_ node: RegexNode, inLookahead: Bool) throws(TokenizerError) {
    // Repetitions of nothing add no instruction, so they are counted here.
    nodesCompiled += 1
    guard nodesCompiled <= 8 * Self.instructionsMax else {
      throw .tooLarge(what: "nodes in a regular expression", count: nodesCompiled, countMax: 8 * Self.instructionsMax)
    }
    switch node {
    case .empty: break
    case .set(let set): try append(.set(addSet(set)))
    case .sequence(let nodes): for n in nodes { try compile(n, inLookahead: inLookahead) }
    case .alternation(let branches): try compile(alternation: branches, inLookahead: inLookahead)
    case .repetition(let body, let min, let max, let kind):
      if kind == .possessive {
        try compile(.atomic(.repetition(body, min: min, max: max, kind: .greedy)), inLookahead: inLookahead)
      } else {
        try compile(body, min: min, max: max, lazy: kind == .lazy, inLookahead: inLookahead)
      }
    case .atomic(let body):
      if inLookahead { throw .unsupported("an atomic group inside a look-ahead of a regular expression") }
      try append(.atomicBegin)
      try compile(body, inLookahead: false)
      try append(.atomicEnd)
    case .lookahead(.set(let set), let negated): try append(.nextIn(addSet(set), negated: negated))
    case .lookahead(let body, let negated):
      lookaheads.append(try RegexProgram(lookahead: body))
      try append(.lookahead(lookaheads.count - 1, negated: negated))
    case .lookbehind(let set, let negated): try append(.lookbehind(addSet(set), negated: negated))
    case .anchor(let anchor): try append(.anchor(anchor))
    }
  }

  private mutating func compile(
    alternation branches: [RegexNode], inLookahead: Bool
  ) throws(TokenizerError) {
    var exits: [Int] = []
    for branch in branches.dropLast() {
      let at = try split()
      try compile(branch, inLookahead: inLookahead)
      exits.append(instructions.count)
      try append(.jump(0))
      patch(at, first: at + 1, second: instructions.count)
    }
    if let last = branches.last { try compile(last, inLookahead: inLookahead) }
    for exit in exits { instructions[exit] = .jump(instructions.count) }
  }

  private mutating func compile(
    _ body: RegexNode, min: Int, max: Int?, lazy: Bool, inLookahead: Bool
  ) throws(TokenizerError) {
    for _ in 0..<min { try compile(body, inLookahead: inLookahead) }
    if let max {
      var splits: [Int] = []
      for _ in min..<Swift.max(min, max) {
        splits.append(try split())
        try compile(body, inLookahead: inLookahead)
      }
      for at in splits {
        let end = instructions.count
        patch(at, first: lazy ? end : at + 1, second: lazy ? at + 1 : end)
      }
    } else if usesRuns, !lazy, case .set(let set) = body {
      try append(.run(addSet(set)))
    } else {
      // A body that matches nothing would loop at one position; the memory of the split stops it there.
      let at = try split()
      try compile(body, inLookahead: inLookahead)
      try append(.jump(at))
      let end = instructions.count
      patch(at, first: lazy ? end : at + 1, second: lazy ? at + 1 : end)
    }
  }
}
