/// Parses the regular expressions of tokenizer definitions: the syntax of Oniguruma (Ruby), which
/// Hugging Face tokenizers use, less back-references, captures and whatever else has no linear-time meaning.
struct RegexParser {
  static let patternScalarsMax = 16_384
  static let depthMax = 48
  static let repetitionMax = 1000

  private let pattern: [Unicode.Scalar]
  private var at = 0
  private var ignoresCase = false
  private var depth = 0

  static func parse(_ pattern: [UInt8]) throws(TokenizerError) -> RegexNode {
    let scalars = Array(String(decoding: pattern, as: UTF8.self).unicodeScalars)
    guard scalars.count <= patternScalarsMax else {
      throw .tooLarge(what: "scalars in a regular expression", count: scalars.count, countMax: patternScalarsMax)
    }
    var parser = RegexParser(pattern: scalars)
    let node = try parser.parseAlternation()
    guard parser.at == scalars.count else { throw parser.invalid("unmatched \")\"") }
    return node
  }

  private init(pattern: [Unicode.Scalar]) { self.pattern = pattern }

  private func invalid(_ reason: String) -> TokenizerError {
    .invalid(field: "regular expression", reason: "\(reason) at scalar \(at)")
  }

  private func unsupported(_ what: String) -> TokenizerError { .unsupported("\(what) in a regular expression") }

  private var peek: Unicode.Scalar? { at < pattern.count ? pattern[at] : nil }

  private func peek(_ offset: Int) -> Unicode.Scalar? { at + offset < pattern.count ? pattern[at + offset] : nil }

  private mutating func accept(_ text: StaticString) -> Bool {
    let n = text.utf8CodeUnitCount
    guard n <= pattern.count - at else { return false }
    for i in 0..<n where pattern[at + i].value != UInt32(text.utf8Start[i]) { return false }
    at += n
    return true
  }

  private mutating func parseAlternation() throws(TokenizerError) -> RegexNode {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthMax else {
      throw .tooLarge(what: "nested groups in a regular expression", count: depth, countMax: Self.depthMax)
    }
    var branches = [try parseSequence()]
    while accept("|") { branches.append(try parseSequence()) }
    return branches.count == 1 ? branches[0] : .alternation(branches)
  }

  private mutating func parseSequence() throws(TokenizerError) -> RegexNode {
    var items: [RegexNode] = []
    while let c = peek, c != "|", c != ")" {
      if let item = try parseAtom() { items.append(try parseQuantifiers(item)) }
    }
    return items.count == 1 ? items[0] : items.isEmpty ? .empty : .sequence(items)
  }

  private mutating func parseQuantifiers(_ atom: RegexNode) throws(TokenizerError) -> RegexNode {
    var node = atom
    var count = 0
    while let c = peek {
      let bounds: (Int, Int?)
      var isInterval = false
      switch c {
      case "*": bounds = (0, nil)
      case "+": bounds = (1, nil)
      case "?": bounds = (0, 1)
      case "{":
        guard let interval = try parseInterval() else { return node }
        bounds = interval
        isInterval = true
      default: return node
      }
      if !isInterval { at += 1 }
      count += 1
      guard count <= 4 else { throw unsupported("more than four quantifiers in a row") }
      if case .anchor = node { throw unsupported("a repeated anchor") }
      var kind = RepetitionKind.greedy
      if accept("?") {
        // Oniguruma reads {n}? as an optional {n}, not as a lazy one.
        if isInterval, bounds.0 == bounds.1 {
          node = .repetition(node, min: bounds.0, max: bounds.1, kind: .greedy)
          node = .repetition(node, min: 0, max: 1, kind: .greedy)
          continue
        }
        kind = .lazy
      } else if !isInterval, accept("+") {
        // In this syntax {n,m}+ repeats the interval; only *+ ++ ?+ are possessive.
        kind = .possessive
      }
      node = .repetition(node, min: bounds.0, max: bounds.1, kind: kind)
    }
    return node
  }

  /// `{n}`, `{n,}`, `{,m}` or `{n,m}`; nil, with nothing consumed, when the brace is a literal.
  private mutating func parseInterval() throws(TokenizerError) -> (Int, Int?)? {
    let start = at
    at += 1
    let low = parseDecimal()
    var high = low
    if accept(",") { high = parseDecimal() } else if low == nil { high = nil }
    let hasComma = pattern[at - 1] == ","
    guard accept("}"), low != nil || high != nil else {
      at = start
      return nil
    }
    let upper: Int? = high ?? (hasComma || low == nil ? nil : low)
    guard (low ?? 0) <= Self.repetitionMax, (upper ?? 0) <= Self.repetitionMax else {
      throw .tooLarge(
        what: "repetitions in a regular expression", count: max(low ?? 0, upper ?? 0), countMax: Self.repetitionMax)
    }
    if let upper, upper < low ?? 0 { throw invalid("an interval whose bounds are reversed") }
    return (low ?? 0, upper)
  }

  private mutating func parseDecimal() -> Int? {
    var value: Int?
    while let c = peek, c >= "0", c <= "9", (value ?? 0) < 1_000_000 {
      value = (value ?? 0) * 10 + Int(c.value - 0x30)
      at += 1
    }
    return value
  }

  /// Nil for a group that only sets options.
  private mutating func parseAtom() throws(TokenizerError) -> RegexNode? {
    guard let c = peek else { throw invalid("the expression ends too early") }
    switch c {
    case "(": return try parseGroup()
    case "[": return .set(try parseClass())
    case ".":
      at += 1
      return .set(.complement(.range(0x0A, 0x0A)))
    case "^":
      at += 1
      return .anchor(.lineStart)
    case "$":
      at += 1
      return .anchor(.lineEnd)
    case "*", "+", "?": throw invalid("a quantifier with nothing to repeat")
    case "\\":
      if let anchor = acceptAnchor() { return .anchor(anchor) }
      return .set(try parseEscape(inClass: false))
    default:
      at += 1
      return .set(literal(c.value))
    }
  }

  private mutating func acceptAnchor() -> RegexAnchor? {
    if accept("\\b") { return .wordBoundary }
    if accept("\\B") { return .notWordBoundary }
    if accept("\\A") { return .textStart }
    if accept("\\z") { return .textEnd }
    if accept("\\Z") { return .textEndOrFinalNewline }
    return nil
  }

  private mutating func parseGroup() throws(TokenizerError) -> RegexNode? {
    let outerIgnoresCase = ignoresCase
    at += 1
    var wrap: (RegexNode) -> RegexNode = { $0 }
    var behind: Bool?
    if accept("?") {
      if accept(":") {
      } else if accept("=") {
        wrap = { .lookahead($0, negated: false) }
      } else if accept("!") {
        wrap = { .lookahead($0, negated: true) }
      } else if accept("<=") {
        behind = false
      } else if accept("<!") {
        behind = true
      } else if accept(">") {
        wrap = { .atomic($0) }
      } else if accept("#") {
        while let c = peek, c != ")" { at += 1 }
        guard accept(")") else { throw invalid("a comment that does not end") }
        return nil
      } else if try parseOptions() {
        // (?i) holds until the end of the enclosing group.
        return nil
      }
    }
    let inner = try parseAlternation()
    guard accept(")") else { throw invalid("a group that does not end") }
    ignoresCase = outerIgnoresCase
    if let behind {
      guard case .set(let set) = inner else { throw unsupported("a look-behind wider than one character") }
      return .lookbehind(set, negated: behind)
    }
    return wrap(inner)
  }

  /// True when the group was only `(?i)`; false when a body follows.
  private mutating func parseOptions() throws(TokenizerError) -> Bool {
    var turnsOn = true
    while let c = peek {
      at += 1
      switch c {
      case "-": turnsOn = false
      case "i": ignoresCase = turnsOn
      case ":": return false
      case ")": return true
      default: throw unsupported("the group (?\(Self.name(c))")
      }
    }
    throw invalid("a group that does not end")
  }

  private static func name(_ scalar: Unicode.Scalar) -> String { String(Character(scalar)) }

  private func literal(_ c: UInt32) -> ScalarSet {
    ignoresCase ? CaseFolding.variants(of: c) : .range(c, c)
  }

  private mutating func parseClass() throws(TokenizerError) -> ScalarSet {
    depth += 1
    defer { depth -= 1 }
    guard depth <= Self.depthMax else {
      throw .tooLarge(what: "nested classes in a regular expression", count: depth, countMax: Self.depthMax)
    }
    at += 1
    let isNegated = accept("^")
    var parts: [ScalarSet] = []
    var operands: [ScalarSet] = []
    var isFirst = true
    while true {
      guard let c = peek else { throw invalid("a character class that does not end") }
      if c == "]" && !isFirst {
        at += 1
        break
      }
      isFirst = false
      if accept("&&") {
        operands.append(.union(parts))
        parts = []
      } else if c == "[", peek(1) == ":" {
        parts.append(try parsePosixClass())
      } else if c == "[" {
        parts.append(try parseClass())
      } else {
        parts.append(try parseClassItem())
      }
    }
    operands.append(parts.count == 1 ? parts[0] : .union(parts))
    let set: ScalarSet = operands.count == 1 ? operands[0] : .intersection(operands)
    return isNegated ? .complement(set) : set
  }

  private mutating func parseClassItem() throws(TokenizerError) -> ScalarSet {
    let first = try parseClassScalarOrSet()
    guard case .range(let low, let lowEnd) = first, low == lowEnd, peek == "-", let after = peek(1), after != "]" else {
      if case .range(let c, let d) = first, c == d { return literal(c) }
      return first
    }
    at += 1
    guard case .range(let high, let highEnd) = try parseClassScalarOrSet(), high == highEnd, high >= low else {
      throw invalid("a range in a character class that is not one")
    }
    if ignoresCase {
      guard high - low <= 0x300 else { throw unsupported("a large case-insensitive range") }
      return .union((low...high).map { CaseFolding.variants(of: $0) })
    }
    return .range(low, high)
  }

  private mutating func parseClassScalarOrSet() throws(TokenizerError) -> ScalarSet {
    guard let c = peek else { throw invalid("a character class that does not end") }
    if c == "\\" { return try parseEscape(inClass: true) }
    at += 1
    return .range(c.value, c.value)
  }

  private mutating func parsePosixClass() throws(TokenizerError) -> ScalarSet {
    at += 2
    let isNegated = accept("^")
    var name: [UInt8] = []
    while let c = peek, c.isASCII, c != ":" {
      name.append(UInt8(ascii: c))
      at += 1
    }
    guard accept(":]") else { throw invalid("a POSIX class that does not end") }
    let text = String(decoding: name, as: UTF8.self)
    guard let set = NamedSets.posix(text) else { throw unsupported("the class [:\(text):]") }
    return isNegated ? .complement(set) : set
  }

  private mutating func parseEscape(inClass: Bool) throws(TokenizerError) -> ScalarSet {
    at += 1
    guard let c = peek else { throw invalid("the expression ends after a backslash") }
    at += 1
    func one(_ scalar: UInt32) -> ScalarSet { .range(scalar, scalar) }
    switch c {
    case "d": return NamedSets.digit
    case "D": return .complement(NamedSets.digit)
    case "s": return .property(.whitespace)
    case "S": return .complement(.property(.whitespace))
    case "w": return inClass ? NamedSets.wordInClass : .property(.word)
    case "W": return .complement(inClass ? NamedSets.wordInClass : .property(.word))
    case "h": return NamedSets.hexDigit
    case "H": return .complement(NamedSets.hexDigit)
    case "p": return try parseProperty(negated: false)
    case "P": return try parseProperty(negated: true)
    case "n": return one(0x0A)
    case "r": return one(0x0D)
    case "t": return one(0x09)
    case "f": return one(0x0C)
    case "v": return one(0x0B)
    case "a": return one(0x07)
    case "e": return one(0x1B)
    case "0": return one(0)
    case "x": return one(try parseHex(digits: accept("{") ? nil : 2))
    case "u": return one(try parseHex(digits: accept("{") ? nil : 4))
    case "b" where inClass: return one(0x08)
    case "0"..."9", "a"..."z", "A"..."Z": throw unsupported("the escape \\\(Self.name(c))")
    default: return inClass ? one(c.value) : literal(c.value)
    }
  }

  private static func hexDigit(_ c: Unicode.Scalar) -> UInt32? {
    switch c {
    case "0"..."9": c.value - 0x30
    case "a"..."f": c.value - 0x61 + 10
    case "A"..."F": c.value - 0x41 + 10
    default: nil
    }
  }

  /// Exactly `digits` digits, or as many as there are before a closing brace.
  private mutating func parseHex(digits: Int?) throws(TokenizerError) -> UInt32 {
    var value: UInt32 = 0
    var count = 0
    while count < digits ?? 8, let c = peek, let digit = Self.hexDigit(c) {
      value = value << 4 | digit
      count += 1
      at += 1
    }
    let isComplete = digits == nil ? accept("}") && count > 0 : count == digits
    guard isComplete, Unicode.Scalar(value) != nil else { throw invalid("a malformed hexadecimal escape") }
    return value
  }

  private mutating func parseProperty(negated: Bool) throws(TokenizerError) -> ScalarSet {
    guard accept("{") else { throw unsupported("\\p without braces") }
    let isNegated = accept("^") != negated
    var name: [UInt8] = []
    while let c = peek, c.isASCII, c != "}" {
      name.append(UInt8(ascii: c))
      at += 1
    }
    guard accept("}") else { throw invalid("a property that does not end") }
    let text = String(decoding: name, as: UTF8.self)
    guard let set = NamedSets.property(text) else { throw unsupported("the property \\p{\(text)}") }
    return isNegated ? .complement(set) : set
  }
}
