/// Spaces as a visible character, as SentencePiece writes them.
struct Metaspace: Sendable {
  enum PrependScheme { case always, first, never }

  let replacement: [UInt8]
  let prependScheme: PrependScheme
  let splits: Bool

  init(_ reader: DefinitionReader) throws(TokenizerError) {
    var bytes: [UInt8] = []
    UTF8Text.append(try reader.scalar("replacement") ?? 0x2581, to: &bytes)
    replacement = bytes
    splits = try reader.bool("split", default: true)
    switch try reader.word("prepend_scheme") {
    case "always": prependScheme = .always
    case "first": prependScheme = .first
    case "never": prependScheme = .never
    case nil: prependScheme = try reader.bool("add_prefix_space", default: true) ? .always : .never
    case let other?: throw .unsupported("the prepend scheme \(other)")
    }
  }

  func apply(_ text: inout PreTokenizedText) {
    text.rewrite { piece, isTextStart, out in
      let prepends = prependScheme == .always || (prependScheme == .first && isTextStart)
      if prepends, piece.first != 0x20, !piece.starts(with: replacement) { out.append(contentsOf: replacement) }
      for b in piece { if b == 0x20 { out.append(contentsOf: replacement) } else { out.append(b) } }
    }
    if splits { PreTokenizer.cut(&text, .literal(replacement), .mergedWithNext, inverted: false) }
  }
}
