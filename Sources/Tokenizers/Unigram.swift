/// The segmentation of greatest probability: Kudo, "Subword Regularization" (2018), section 3.
struct Unigram: Sendable {
  let vocabulary: Vocabulary
  private let trie: ByteTrie
  private let scores: [Binary64]
  private let unknown: Int32
  private let unknownScore: Binary64
  private let byteTokens: [Int32?]?
  /// Whether sums of scores are kept in binary32, as SentencePiece keeps them; Hugging Face uses binary64.
  private let sumsInSingle: Bool

  /// - Parameter scores: by id.
  init(
    vocabulary: Vocabulary, scores: [Binary64], unknown: Int, fallsBackToBytes: Bool
  ) throws(TokenizerError) {
    guard vocabulary.size == scores.count, scores.indices.contains(unknown), var least = scores.first else {
      throw .invalid(field: "model.unk_id", reason: "it is not the id of a token")
    }
    for s in scores where least > s { least = s }
    self.vocabulary = vocabulary
    self.scores = scores
    self.unknown = Int32(unknown)
    unknownScore = least + Binary64(10, isNegative: true)
    byteTokens = fallsBackToBytes ? vocabulary.byteTokens() : nil
    sumsInSingle = false
    var entries: [(bytes: [UInt8], value: Int32)] = []
    for id in scores.indices {
      if let bytes = vocabulary.bytes(of: id), !bytes.isEmpty { entries.append((Array(bytes), Int32(id))) }
    }
    trie = ByteTrie(entries)
  }

  /// What SentencePiece 0.2.3 gives a user-defined piece instead of its score: a tenth for each byte after the first.
  /// Other scores are logarithms of probabilities, so no other path through the same text reaches it.
  private static func userDefinedScore(bytes: Int) -> Binary64 {
    Binary64(1).divided(by: Binary64(10)).multiplied(by: Binary64(UInt64(bytes - 1))).roundedToSingle
  }

  /// The model as SentencePiece runs it: only normal (type 1) and user-defined pieces (4) take part.
  ///
  /// - Parameter scoreBits: by id, the bits of IEEE 754 binary32 numbers.
  init(
    vocabulary: Vocabulary, scoreBits: [UInt32], types: [Int], unknown: Int
  ) throws(TokenizerError) {
    guard scoreBits.count == vocabulary.size, types.count == vocabulary.size else {
      throw .invalid(
        field: "scores", reason: "there are \(scoreBits.count), and \(types.count) types, for \(vocabulary.size) tokens"
      )
    }
    var scores: [Binary64] = []
    scores.reserveCapacity(scoreBits.count)
    var least: Binary64?
    var entries: [(bytes: [UInt8], value: Int32)] = []
    for (id, bits) in scoreBits.enumerated() {
      guard let score = Binary64(singleBits: bits) else {
        throw .invalid(field: "scores", reason: "the score of token \(id) is not a number")
      }
      scores.append(score)
      let isUserDefined = types[id] == 4
      guard types[id] == 1 || isUserDefined, let bytes = vocabulary.bytes(of: id), !bytes.isEmpty else { continue }
      entries.append((Array(bytes), Int32(id)))
      if isUserDefined {
        scores[id] = Self.userDefinedScore(bytes: bytes.count)
      } else if least.map({ $0 > score }) ?? true {
        least = score
      }
    }
    self.vocabulary = vocabulary
    self.scores = scores
    self.unknown = Int32(unknown)
    unknownScore = ((least ?? .zero) + Binary64(10, isNegative: true)).roundedToSingle
    byteTokens = types.contains(6) ? vocabulary.byteTokens() : nil
    sumsInSingle = true
    trie = ByteTrie(entries)
  }

  private struct Best {
    var score = Binary64.zero
    var start: Int32 = -1
    var id: Int32 = -1
  }

  /// Beyond this distance from zero SentencePiece 0.2.3 counts sums from the place it has reached.
  private static let sumMax = Binary64(100_000)

  func encode(_ text: [UInt8], _ range: Range<Int>, blocked: Set<Int32>, into ids: inout [Int32]) {
    // By the position where a piece ends, counted from the start of the range.
    var best = [Best](repeating: Best(), count: range.count + 1)
    var start = 0
    var reached = 0
    func consider(_ id: Int32, _ score: Binary64, to end: Int) {
      reached = max(reached, end)
      let sum = score + best[start].score
      let candidate = sumsInSingle ? sum.roundedToSingle : sum
      if best[end].start < 0 || candidate > best[end].score {
        best[end] = Best(score: candidate, start: Int32(truncatingIfNeeded: start), id: id)
      }
    }
    while start < range.count {
      if sumsInSingle, best[start].score.magnitude > Self.sumMax {
        let offset = best[start].score.negated
        for i in start...reached where i == start || best[i].start >= 0 {
          best[i].score = (best[i].score + offset).roundedToSingle
        }
      }
      let length = UTF8Text.scalar(text, at: range.lowerBound + start).length
      var hasSingle = false
      var node = ByteTrie.root
      var end = start
      while end < range.count, let next = trie.child(node, text[range.lowerBound + end]) {
        node = next
        end += 1
        guard let id = trie.value(node), !blocked.contains(id) else { continue }
        consider(id, scores[Int(id)], to: end)
        if end - start == length { hasSingle = true }
      }
      if !hasSingle { consider(unknown, unknownScore, to: start + length) }
      start += length
    }
    appendPath(best, text, range, into: &ids)
  }

  private func appendPath(_ best: [Best], _ text: [UInt8], _ range: Range<Int>, into ids: inout [Int32]) {
    var path: [(range: Range<Int>, id: Int32)] = []
    var end = range.count
    while end > 0 {
      let start = Int(best[end].start)
      let piece = (range.lowerBound + start)..<(range.lowerBound + end)
      // Unknown pieces in a row are one.
      if best[end].id == unknown, let last = path.last, last.id == unknown {
        path[path.count - 1].range = piece.lowerBound..<last.range.upperBound
      } else {
        path.append((piece, best[end].id))
      }
      end = start
    }
    for (piece, id) in path.reversed() {
      if id == unknown, let tokens = fallback(text, piece) { ids.append(contentsOf: tokens) } else { ids.append(id) }
    }
  }

  private func fallback(_ text: [UInt8], _ range: Range<Int>) -> [Int32]? {
    guard let byteTokens else { return nil }
    var tokens: [Int32] = []
    for b in text[range] {
      guard let id = byteTokens[Int(b)] else { return nil }
      tokens.append(id)
    }
    return tokens
  }
}
