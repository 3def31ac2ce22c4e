/// Extended grapheme clusters (Unicode Standard Annex #29), from tables of our own.
enum Graphemes {
  /// By scalar value.
  private static let classes: [UInt8] = {
    var table = [UInt8](repeating: 0, count: 0x11_0000)
    var reader = VarintReader(GraphemeData.classes)
    var at = 0
    while let length = reader.next(), let value = reader.next() {
      if value != 0 { for i in at..<(at + length) { table[i] = UInt8(value) } }
      at += length
    }
    return table
  }()

  /// Calls `body` with the byte range of every cluster, in order.
  static func forEach(in text: [UInt8], _ body: (Range<Int>) -> Void) {
    guard !text.isEmpty else { return }
    let classes = Self.classes
    var state = State()
    var start = 0
    var at = 0
    while at < text.count {
      let s = UTF8Text.scalar(text, at: at)
      let next = GraphemeClass(rawValue: classes[Int(s.value)]) ?? .other
      if at > 0, state.breaks(before: next) {
        body(start..<at)
        start = at
      }
      state.take(next)
      at += s.length
    }
    body(start..<at)
  }

  /// What the rules look at to the left of a position.
  private struct State {
    private var previous = GraphemeClass.other
    /// An odd number of regional indicators stands before.
    private var hasOpenIndicator = false
    /// A picture and then only extending scalars.
    private var isPicture = false
    /// A consonant and then only linkers and extending scalars; whether there was a linker.
    private var isConjunct = false
    private var hasLinker = false

    func breaks(before next: GraphemeClass) -> Bool {
      switch (previous, next) {
      case (.carriageReturn, .lineFeed): false  // GB3
      case (.control, _), (.carriageReturn, _), (.lineFeed, _): true  // GB4
      case (_, .control), (_, .carriageReturn), (_, .lineFeed): true  // GB5
      case (.leading, .leading), (.leading, .vowel), (.leading, .leadingVowel), (.leading, .leadingVowelTrailing):
        false  // GB6
      case (.leadingVowel, .vowel), (.leadingVowel, .trailing), (.vowel, .vowel), (.vowel, .trailing): false  // GB7
      case (.leadingVowelTrailing, .trailing), (.trailing, .trailing): false  // GB8
      case (_, .extend), (_, .linker), (_, .conjunctExtend), (_, .zeroWidthJoiner): false  // GB9
      case (_, .spacingMark), (.prepend, _): false  // GB9a, GB9b
      case (_, .consonant) where isConjunct && hasLinker: false  // GB9c
      case (.zeroWidthJoiner, .pictographic) where isPicture: false  // GB11
      case (.regionalIndicator, .regionalIndicator): !hasOpenIndicator  // GB12, GB13
      default: true  // GB999
      }
    }

    mutating func take(_ next: GraphemeClass) {
      hasOpenIndicator = next == .regionalIndicator && !hasOpenIndicator
      let extends = [.extend, .linker, .conjunctExtend, .zeroWidthJoiner].contains(next)
      isPicture = next == .pictographic || (isPicture && extends && previous != .zeroWidthJoiner)
      let staysConjunct = next == .linker || next == .conjunctExtend || next == .zeroWidthJoiner
      isConjunct = next == .consonant || (isConjunct && staysConjunct)
      hasLinker = isConjunct && next != .consonant && (hasLinker || next == .linker)
      previous = next
    }
  }
}

/// In the order of the generated table.
enum GraphemeClass: UInt8 {
  case other, carriageReturn, lineFeed, control, extend, zeroWidthJoiner, regionalIndicator, prepend, spacingMark
  case leading, vowel, trailing, leadingVowel, leadingVowelTrailing, pictographic, consonant, linker, conjunctExtend
}
