/// Text cut into pieces; the model joins symbols within a piece only.
struct PreTokenizedText {
  struct Piece {
    var range: Range<Int>
    /// Whether it starts where the whole text starts.
    var isTextStart: Bool
  }

  private(set) var text: [UInt8]
  private(set) var pieces: [Piece]

  init(_ text: [UInt8], isTextStart: Bool) {
    self.text = text
    pieces = text.isEmpty ? [] : [Piece(range: 0..<text.count, isTextStart: isTextStart)]
  }

  /// Cuts every piece into what `cut` appends: ranges inside the piece, in order. Empty ones are dropped.
  mutating func cut(_ cut: (_ text: [UInt8], _ range: Range<Int>, _ out: inout [Range<Int>]) -> Void) {
    var out: [Piece] = []
    out.reserveCapacity(pieces.count)
    var ranges: [Range<Int>] = []
    for piece in pieces {
      ranges.removeAll(keepingCapacity: true)
      cut(text, piece.range, &ranges)
      for r in ranges where !r.isEmpty {
        out.append(Piece(range: r, isTextStart: piece.isTextStart && r.lowerBound == piece.range.lowerBound))
      }
    }
    pieces = out
  }

  /// Writes every piece anew.
  mutating func rewrite(_ rewrite: (_ piece: ArraySlice<UInt8>, _ isTextStart: Bool, _ out: inout [UInt8]) -> Void) {
    var out: [UInt8] = []
    out.reserveCapacity(text.count + text.count / 2)
    for i in pieces.indices {
      let start = out.count
      rewrite(text[pieces[i].range], pieces[i].isTextStart, &out)
      pieces[i].range = start..<out.count
    }
    text = out
  }
}

/// What becomes of the matches that a text is split at.
enum SplitBehavior: String, Sendable {
  case removed = "Removed"
  case isolated = "Isolated"
  case mergedWithPrevious = "MergedWithPrevious"
  case mergedWithNext = "MergedWithNext"
  case contiguous = "Contiguous"

  /// - Parameter parts: consecutive ranges that cover the piece, with whether each is a match.
  func apply(_ parts: [(range: Range<Int>, isMatch: Bool)], into out: inout [Range<Int>]) {
    switch self {
    case .isolated: for p in parts { out.append(p.range) }
    case .removed: for p in parts where !p.isMatch { out.append(p.range) }
    case .contiguous:
      var wasMatch = false
      for p in parts {
        if p.isMatch == wasMatch, let last = out.popLast() {
          out.append(last.lowerBound..<p.range.upperBound)
        } else {
          out.append(p.range)
        }
        wasMatch = p.isMatch
      }
    case .mergedWithPrevious:
      var wasMatch = false
      for p in parts {
        if p.isMatch, !wasMatch, let last = out.popLast() {
          out.append(last.lowerBound..<p.range.upperBound)
        } else {
          out.append(p.range)
        }
        wasMatch = p.isMatch
      }
    case .mergedWithNext:
      var reversed: [Range<Int>] = []
      var wasMatch = false
      for p in parts.reversed() {
        if p.isMatch, !wasMatch, let last = reversed.popLast() {
          reversed.append(p.range.lowerBound..<last.upperBound)
        } else {
          reversed.append(p.range)
        }
        wasMatch = p.isMatch
      }
      out.append(contentsOf: reversed.reversed())
    }
  }
}
