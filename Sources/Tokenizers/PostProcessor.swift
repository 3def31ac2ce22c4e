import Digests

/// The tokens that go before and after the tokens of a text.
struct PostProcessor: Sendable {
  private(set) var prefix: [Int32] = []
  private(set) var suffix: [Int32] = []

  init(prefix: [Int32] = [], suffix: [Int32] = []) {
    self.prefix = prefix
    self.suffix = suffix
  }

  init(_ reader: DefinitionReader, depth: Int = 0) throws(TokenizerError) {
    guard depth < 8 else { throw .tooLarge(what: "nested sequences", count: depth, countMax: 8) }
    switch try reader.word("type") {
    case "ByteLevel": break
    case "TemplateProcessing": try readTemplate(reader)
    case "BertProcessing", "RobertaProcessing":
      prefix = [try Self.pairID(reader, "cls")]
      suffix = [try Self.pairID(reader, "sep")]
    case "Sequence":
      for r in try reader.readers("processors") {
        let outer = try PostProcessor(r, depth: depth + 1)
        prefix = outer.prefix + prefix
        suffix += outer.suffix
      }
    case let other: throw .unsupported("the post-processor \(other ?? "without a type")")
    }
  }

  /// Reads `["<s>", 0]`.
  private static func pairID(_ reader: DefinitionReader, _ key: String) throws(TokenizerError) -> Int32 {
    let pair = try reader.requiredArray(key)
    guard pair.count == 2, let id = pair[1].integer, id >= 0, id < Vocabulary.idsMax else {
      throw .invalid(field: reader.field(key), reason: "it is not a token and its id")
    }
    return Int32(id)
  }

  private mutating func readTemplate(_ reader: DefinitionReader) throws(TokenizerError) {
    guard let specials = try reader.reader("special_tokens") else {
      throw .missing(field: reader.field("special_tokens"))
    }
    var seenSequence = false
    for item in try reader.readers("single") {
      if let sequence = try item.reader("Sequence") {
        guard !seenSequence, try sequence.word("id") == "A" else {
          throw .unsupported("a template whose single form is not one sequence A")
        }
        seenSequence = true
      } else if let special = try item.reader("SpecialToken") {
        let name = String(decoding: try special.requiredString("id"), as: UTF8.self)
        guard let token = try specials.reader(name) else { throw .missing(field: specials.field(name)) }
        for id in try token.requiredArray("ids") {
          guard let id = id.integer, id >= 0, id < Vocabulary.idsMax else {
            throw .invalid(field: token.field("ids"), reason: "it holds something that is not an id")
          }
          if seenSequence { suffix.append(Int32(id)) } else { prefix.append(Int32(id)) }
        }
      } else {
        throw .unsupported("an unknown item in \(item.path)")
      }
    }
    guard seenSequence else { throw .unsupported("a template without the sequence A") }
  }
}
