/// Byte pair encoding as in Sennrich et al., "Neural Machine Translation of Rare Words with Subword
/// Units" (2016), section 3.2, with the variations that tokenizer definitions allow.
struct BytePairEncoding: Sendable {
  let vocabulary: Vocabulary
  /// Rank and joined id, packed; by the ids of the two neighbours.
  private let merges: [UInt64: UInt64]
  private let scalarIDs: [Int32]
  private let byteTokens: [Int32?]?
  private let unknown: Int32?
  private let fusesUnknown: Bool
  private let ignoresMerges: Bool
  private let takesLineFeedsWhole: Bool
  private let continuationPrefix: [UInt8]
  private let wordSuffix: [UInt8]

  struct Options {
    var unknown: [UInt8]?
    var fusesUnknown = false
    var fallsBackToBytes = false
    var ignoresMerges = false
    /// Whether a piece of nothing but line feeds is one token where the vocabulary has it.
    var takesLineFeedsWhole = false
    var continuationPrefix: [UInt8] = []
    var wordSuffix: [UInt8] = []
  }

  /// - Parameter merges: pairs of token strings, the first to be joined first.
  init(
    vocabulary: Vocabulary, merges: [(ArraySlice<UInt8>, ArraySlice<UInt8>)], options: Options
  ) throws(TokenizerError) {
    self.vocabulary = vocabulary
    var table: [UInt64: UInt64] = [:]
    table.reserveCapacity(merges.count)
    for (rank, (left, right)) in merges.enumerated() {
      guard let a = vocabulary.id(of: left), let b = vocabulary.id(of: right) else {
        throw .invalid(field: "model.merges", reason: "merge \(rank) joins a token that is not in the vocabulary")
      }
      let rest =
        right.starts(with: options.continuationPrefix) ? right.dropFirst(options.continuationPrefix.count) : right
      guard let joined = vocabulary.id(of: Array(left) + rest) else {
        throw .invalid(field: "model.merges", reason: "merge \(rank) makes a token that is not in the vocabulary")
      }
      table[Self.key(a, b)] = UInt64(rank) << 32 | UInt64(UInt32(bitPattern: joined))
    }
    self.merges = table
    unknown = options.unknown.flatMap { vocabulary.id(of: $0) }
    if options.unknown != nil, unknown == nil {
      throw .invalid(field: "model.unk_token", reason: "it is not in the vocabulary")
    }
    fusesUnknown = options.fusesUnknown
    ignoresMerges = options.ignoresMerges
    takesLineFeedsWhole = options.takesLineFeedsWhole
    continuationPrefix = options.continuationPrefix
    wordSuffix = options.wordSuffix
    byteTokens = options.fallsBackToBytes ? vocabulary.byteTokens() : nil
    scalarIDs = (UInt32(0)..<0x250).map { c in
      var bytes: [UInt8] = []
      UTF8Text.append(c, to: &bytes)
      return vocabulary.id(of: bytes) ?? -1
    }
  }

  private static func key(_ a: Int32, _ b: Int32) -> UInt64 {
    UInt64(UInt32(bitPattern: a)) << 32 | UInt64(UInt32(bitPattern: b))
  }

  /// Appends the ids of one pre-tokenized piece. `blocked` ids are not taken for whole pieces.
  func encode(
    _ text: [UInt8], _ range: Range<Int>, blocked: Set<Int32>, _ merging: inout SymbolMerging, into ids: inout [Int32]
  ) {
    let isWhole = ignoresMerges || (takesLineFeedsWhole && text[range].allSatisfy { $0 == 0x0A })
    if isWhole, let id = vocabulary.id(of: text[range]), !blocked.contains(id) {
      ids.append(id)
      return
    }
    merging.removeAll()
    appendSymbols(text, range, blocked, &merging)
    merging.merge { a, b in
      guard let packed = merges[Self.key(a.id, b.id)] else { return nil }
      let id = Int32(bitPattern: UInt32(truncatingIfNeeded: packed))
      return blocked.contains(id) ? nil : (UInt32(packed >> 32), id)
    }
    merging.forEach { ids.append($0.id) }
  }

  private func appendSymbols(
    _ text: [UInt8], _ range: Range<Int>, _ blocked: Set<Int32>, _ merging: inout SymbolMerging
  ) {
    var at = range.lowerBound
    var pendingUnknown: (start: Int, length: Int)?
    while at < range.upperBound {
      let scalar = UTF8Text.scalar(text, at: at)
      let end = at + scalar.length
      let found = symbol(text, at..<end, scalar.value, isFirst: at == range.lowerBound, isLast: end == range.upperBound)
      if let id = found, !blocked.contains(id) {
        if let p = pendingUnknown, let unknown {
          merging.append(id: unknown, start: p.start, length: p.length)
          pendingUnknown = nil
        }
        merging.append(id: id, start: at, length: scalar.length)
      } else if let tokens = fallback(text, at..<end) {
        for (i, token) in tokens.enumerated() { merging.append(id: token, start: at + i, length: 1) }
      } else if let unknown {
        if let p = pendingUnknown, fusesUnknown {
          pendingUnknown = (p.start, p.length + scalar.length)
        } else {
          if let p = pendingUnknown { merging.append(id: unknown, start: p.start, length: p.length) }
          pendingUnknown = (at, scalar.length)
        }
      }
      at = end
    }
    if let p = pendingUnknown, let unknown { merging.append(id: unknown, start: p.start, length: p.length) }
  }

  private func symbol(
    _ text: [UInt8], _ range: Range<Int>, _ scalar: UInt32, isFirst: Bool, isLast: Bool
  ) -> Int32? {
    if continuationPrefix.isEmpty && wordSuffix.isEmpty {
      if scalar < UInt32(scalarIDs.count) {
        let id = scalarIDs[Int(scalar)]
        return id < 0 ? nil : id
      }
      return vocabulary.id(of: text[range])
    }
    var bytes = isFirst ? [] : continuationPrefix
    bytes.append(contentsOf: text[range])
    if isLast { bytes.append(contentsOf: wordSuffix) }
    return vocabulary.id(of: bytes)
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
