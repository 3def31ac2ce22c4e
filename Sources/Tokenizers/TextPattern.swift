import Digests

/// What a Split or a Replace looks for: a literal or a regular expression.
enum TextPattern: Sendable {
  case literal([UInt8])
  case regex(Regex)

  /// Reads `{"String": "…"}` or `{"Regex": "…"}`.
  init(_ reader: DefinitionReader) throws(TokenizerError) {
    let pattern = try DefinitionReader(
      reader.value("pattern") ?? .null, path: reader.field("pattern"))
    if let literal = try pattern.string("String") {
      self = .literal(literal)
    } else if let regex = try pattern.string("Regex") {
      self = .regex(try Regex(regex))
    } else {
      throw .missing(field: pattern.field("Regex"))
    }
  }

  /// Every match in `range`, in order, without overlaps.
  func forEachMatch(in text: [UInt8], _ range: Range<Int>, _ body: (Range<Int>) -> Void) {
    switch self {
    case .regex(let regex): regex.forEachMatch(in: text, range, body)
    case .literal(let literal):
      guard let first = literal.first else { return }
      var at = range.lowerBound
      while at + literal.count <= range.upperBound {
        if text[at] == first, text[at..<(at + literal.count)].elementsEqual(literal) {
          body(at..<(at + literal.count))
          at += literal.count
        } else {
          at += 1
        }
      }
    }
  }

  /// `text` with every match replaced by `content`, literally.
  func replacing(in text: [UInt8], with content: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(text.count)
    var copied = 0
    forEachMatch(in: text, 0..<text.count) { match in
      out.append(contentsOf: text[copied..<match.lowerBound])
      out.append(contentsOf: content)
      copied = match.upperBound
    }
    if copied == 0 && out.isEmpty { return text }
    out.append(contentsOf: text[copied...])
    return out
  }
}
