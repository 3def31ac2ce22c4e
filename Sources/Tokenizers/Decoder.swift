import Digests

/// How token strings become text again: a list of steps, each of which sees one chunk after the other.
struct Decoder: Sendable {
  enum Step: Sendable {
    case byteLevel
    case byteFallback
    case metaspace([UInt8], dropsFirst: Bool)
    case wordPiece(prefix: [UInt8], cleansUp: Bool)
    case wordSuffix([UInt8])
    /// Connectionist temporal classification: a token that repeats counts once.
    case ctc(padding: [UInt8], delimiter: [UInt8], cleansUp: Bool)
    case strip(UInt32, start: Int, stop: Int)
    case replace(TextPattern, [UInt8])
    /// Tokens separated by spaces: what a definition without a decoder asks for.
    case spaced
  }

  /// `isFused`: a step before this one made one text of all tokens, so token boundaries mean nothing.
  private(set) var steps: [(step: Step, isFused: Bool)] = []

  /// - Parameter fused: steps for the text as a whole, after the others.
  init(_ steps: [Step], fused: [Step] = []) { self.steps = steps.map { ($0, false) } + fused.map { ($0, true) } }

  init(_ reader: DefinitionReader) throws(TokenizerError) {
    var isFused = false
    try append(reader, &isFused, depth: 0)
  }

  private mutating func append(
    _ reader: DefinitionReader, _ isFused: inout Bool, depth: Int
  ) throws(TokenizerError) {
    guard depth < 8 else { throw .tooLarge(what: "nested sequences", count: depth, countMax: 8) }
    let type = try reader.word("type")
    if isFused, let type, !["Fuse", "Strip", "Replace", "Sequence"].contains(type) {
      throw .unsupported("the decoder \(type) after the tokens were joined to one text")
    }
    switch type {
    case "ByteLevel":
      steps.append((.byteLevel, isFused))
      isFused = true
    case "ByteFallback": steps.append((.byteFallback, isFused))
    case "Fuse": isFused = true
    case "Metaspace":
      let metaspace = try Metaspace(reader)
      steps.append((.metaspace(metaspace.replacement, dropsFirst: metaspace.prependScheme != .never), isFused))
    case "WordPiece":
      steps.append(
        (
          .wordPiece(
            prefix: try reader.string("prefix") ?? Array("##".utf8), cleansUp: try reader.bool("cleanup", default: true)
          ),
          isFused
        ))
    case "BPEDecoder": steps.append((.wordSuffix(try reader.string("suffix") ?? Array("</w>".utf8)), isFused))
    case "CTC":
      steps.append(
        (
          .ctc(
            padding: try reader.string("pad_token") ?? Array("<pad>".utf8),
            delimiter: try reader.string("word_delimiter_token") ?? Array("|".utf8),
            cleansUp: try reader.bool("cleanup", default: true)),
          isFused
        ))
    case "Strip":
      guard let content = try reader.scalar("content") else { throw .missing(field: reader.field("content")) }
      let start = try reader.integer("start") ?? 0
      let stop = try reader.integer("stop") ?? 0
      guard (0...1024).contains(start), (0...1024).contains(stop) else {
        throw .invalid(field: reader.field("start"), reason: "it or stop is not between 0 and 1024")
      }
      steps.append((.strip(content, start: start, stop: stop), isFused))
    case "Replace": steps.append((.replace(try TextPattern(reader), try reader.requiredString("content")), isFused))
    case "Sequence":
      for r in try reader.readers("decoders") { try append(r, &isFused, depth: depth + 1) }
    case let other: throw .unsupported("the decoder \(other ?? "without a type")")
    }
    guard steps.count <= 64 else { throw .tooLarge(what: "decoder steps", count: steps.count, countMax: 64) }
  }
}

/// A ``Decoder`` at work: token strings in, bytes out, one token at a time.
struct DecoderRun: Sendable {
  private let decoder: Decoder
  private var states: [State]
  /// Tokens so far, those too that have no text.
  private var count = 0
  private(set) var output: [UInt8] = []

  private struct State: Sendable {
    var isFirst = true
    /// What a step holds back until it knows what comes next.
    var held: [UInt8] = []
    var hasHeld = false
    /// The first token of those whose text is held back; nil while none is.
    var heldFrom: Int?
    var strippable: Int
  }

  /// - Parameter isMidText: as if other tokens came before.
  init(_ decoder: Decoder, isMidText: Bool = false) {
    self.decoder = decoder
    states = decoder.steps.map { step in
      var state = State(strippable: 0)
      if case .strip(_, let start, _) = step.step { state.strippable = isMidText && step.isFused ? 0 : start }
      state.isFirst = !isMidText
      return state
    }
  }

  mutating func push(_ token: ArraySlice<UInt8>) { push(Array(token), 0, from: count - 1) }

  /// Another token comes, and its text with ``push(_:)``, where it has one.
  mutating func beginToken() { count += 1 }

  /// So many tokens, from the first, have no text that a step still holds back.
  var settledTokens: Int { states.compactMap(\.heldFrom).min() ?? count }

  /// What has come out since the last call.
  mutating func takeOutput() -> [UInt8] {
    defer { output.removeAll(keepingCapacity: true) }
    return output
  }

  mutating func finish() {
    for i in decoder.steps.indices {
      let (step, isFused) = decoder.steps[i]
      let (held, from) = (states[i].held, states[i].heldFrom ?? count)
      states[i].held = []
      states[i].heldFrom = nil
      switch step {
      case .wordSuffix(let suffix):
        if states[i].hasHeld { push(TextPattern.literal(suffix).replacing(in: held, with: []), i + 1, from: from) }
      case .replace(let pattern, let content) where isFused:
        push(pattern.replacing(in: held, with: content), i + 1, from: from)
      // What `strip` holds back are the characters it strips from the end.
      case .byteLevel, .byteFallback, .metaspace, .wordPiece, .strip, .replace, .spaced, .ctc: break
      }
    }
  }

  /// - Parameter from: the first token that some of the chunk may be of.
  private mutating func push(_ chunk: [UInt8], _ index: Int, from: Int) {
    guard index < decoder.steps.count else {
      output.append(contentsOf: chunk)
      return
    }
    let (step, isFused) = decoder.steps[index]
    let isFirst = states[index].isFirst
    states[index].isFirst = false
    switch step {
    case .byteLevel: push(ByteAlphabet.decode(chunk[...]) ?? chunk, index + 1, from: from)
    case .byteFallback: push(Vocabulary.byte(ofToken: chunk[...]).map { [$0] } ?? chunk, index + 1, from: from)
    case .metaspace(let replacement, let dropsFirst):
      let space: [UInt8] = isFirst && dropsFirst ? [] : [0x20]
      push(TextPattern.literal(replacement).replacing(in: chunk, with: space), index + 1, from: from)
    case .wordPiece(let prefix, let cleansUp):
      var text = chunk
      if !isFirst { text = chunk.starts(with: prefix) ? Array(chunk.dropFirst(prefix.count)) : [0x20] + chunk }
      push(cleansUp ? Self.cleanedUp(text) : text, index + 1, from: from)
    case .wordSuffix(let suffix):
      let (held, heldFrom) = (states[index].held, states[index].heldFrom ?? from)
      states[index].held = chunk
      states[index].heldFrom = chunk.isEmpty ? nil : from
      if states[index].hasHeld {
        push(TextPattern.literal(suffix).replacing(in: held, with: [0x20]), index + 1, from: heldFrom)
      }
      states[index].hasHeld = true
    case .ctc(let padding, let delimiter, let cleansUp):
      if states[index].hasHeld, states[index].held == chunk { return }
      states[index].hasHeld = true
      states[index].held = chunk
      var text = TextPattern.literal(padding).replacing(in: chunk, with: [])
      if cleansUp { text = TextPattern.literal(delimiter).replacing(in: Self.cleanedUp(text), with: [0x20]) }
      if !text.isEmpty { push(text, index + 1, from: from) }
    case .strip(let content, let start, let stop):
      if isFused {
        let first = states[index].heldFrom ?? from
        push(stripFused(chunk, content, stop: stop, index, from: from), index + 1, from: first)
      } else {
        push(Self.stripped(chunk, content, start: start, stop: stop), index + 1, from: from)
      }
    case .replace(let pattern, let content):
      guard isFused else { return push(pattern.replacing(in: chunk, with: content), index + 1, from: from) }
      // A match could span chunks.
      states[index].held += chunk
      if !chunk.isEmpty { states[index].heldFrom = states[index].heldFrom ?? from }
    case .spaced: push(isFirst ? chunk : [0x20] + chunk, index + 1, from: from)
    }
  }

  private mutating func stripFused(
    _ chunk: [UInt8], _ content: UInt32, stop: Int, _ index: Int, from: Int
  ) -> [UInt8] {
    var unit: [UInt8] = []
    UTF8Text.append(content, to: &unit)
    var text = states[index].held + chunk
    states[index].held = []
    while states[index].strippable > 0, text.starts(with: unit) {
      text.removeFirst(unit.count)
      states[index].strippable -= 1
    }
    if !text.isEmpty { states[index].strippable = 0 }
    var kept = text.count
    for _ in 0..<stop where kept >= unit.count && text[..<kept].suffix(unit.count).elementsEqual(unit) {
      kept -= unit.count
    }
    states[index].held = Array(text[kept...])
    if kept == text.count {
      states[index].heldFrom = nil
    } else if text.count - kept <= chunk.count {
      states[index].heldFrom = from
    }
    return Array(text[..<kept])
  }

  private static func stripped(_ chunk: [UInt8], _ content: UInt32, start: Int, stop: Int) -> [UInt8] {
    var unit: [UInt8] = []
    UTF8Text.append(content, to: &unit)
    var low = 0
    var high = chunk.count
    for _ in 0..<start where chunk[low...].starts(with: unit) { low += unit.count }
    for _ in 0..<stop where high - low >= unit.count && chunk[low..<high].suffix(unit.count).elementsEqual(unit) {
      high -= unit.count
    }
    return Array(chunk[low..<high])
  }

  private static func cleanedUp(_ text: [UInt8]) -> [UInt8] {
    let rules: [(String, String)] = [
      (" .", "."), (" ?", "?"), (" !", "!"), (" ,", ","), (" ' ", "'"), (" n't", "n't"), (" 'm", "'m"),
      (" do not", " don't"), (" 's", "'s"), (" 've", "'ve"), (" 're", "'re"),
    ]
    var text = text
    for (from, to) in rules { text = TextPattern.literal(Array(from.utf8)).replacing(in: text, with: Array(to.utf8)) }
    return text
  }
}
