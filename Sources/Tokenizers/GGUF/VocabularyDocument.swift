public import Digests

/// A vocabulary as canonical JSON, profile `evident.vocabulary.v1`.
///
/// Source: docs/spec/vocabulary.md.
extension VocabularySource {
  public static let schema = "evident.vocabulary.v1"

  /// The document's bytes: one vocabulary has one document, and so one digest.
  ///
  /// - Throws: ``TokenizerError`` when a token or a merge is not UTF-8 or a number has no place in the document.
  public func canonicalBytes() throws(TokenizerError) -> [UInt8] {
    func strings(_ items: [[UInt8]], _ what: String) throws(TokenizerError) -> JSON {
      var out: [JSON] = []
      out.reserveCapacity(items.count)
      for (i, bytes) in items.enumerated() {
        guard let text = String(validating: bytes, as: UTF8.self) else {
          throw .invalid(field: what, reason: "item \(i) is not UTF-8")
        }
        out.append(.string(text))
      }
      return .array(out)
    }
    func id(_ value: Int?) -> JSON { value.map { .integer($0) } ?? .null }
    func flag(_ value: Bool?) -> JSON { value.map { .bool($0) } ?? .null }
    let json: JSON = [
      "schema": .string(Self.schema), "model": .string(model),
      "preTokenizer": preTokenizer.map { .string($0) } ?? .null,
      "tokens": try strings(tokens, "tokens"), "merges": try strings(merges, "merges"),
      "scores": .array(scoreBits.map { .integer(Int($0)) }), "types": .array(tokenTypes.map { .integer($0) }),
      "beginOfSequence": id(beginID), "endOfSequence": id(endID), "unknown": id(unknownID),
      "separator": id(separatorID), "addBegin": flag(addsBegin), "addEnd": flag(addsEnd),
      "addSeparator": flag(addsSeparator), "addSpacePrefix": flag(addsSpacePrefix),
      "removeExtraSpaces": flag(removesExtraSpaces), "lowercase": flag(lowercases), "stripAccents": flag(stripsAccents),
      "characterMap": characterMap.map { .string(Base64.string($0)) } ?? .null,
    ]
    let bytes: [UInt8]
    do { bytes = try json.canonicalBytes() } catch {
      throw .invalid(field: "the vocabulary", reason: "a number has no place in canonical JSON: \(error)")
    }
    // What is written must be what is read.
    guard try VocabularySource(json, canonical: bytes) == self else { throw .notCanonical }
    return bytes
  }

  /// Reads a document.
  ///
  /// - Throws: ``TokenizerError`` naming the member that is not what the specification says.
  public init(document bytes: [UInt8]) throws(TokenizerError) {
    let json: JSON
    do { json = try JSON.parse(bytes, bytesMax: Tokenizer.definitionBytesMax) } catch { throw .json(error) }
    try self.init(json, canonical: bytes)
  }

  init(_ json: JSON, canonical bytes: [UInt8]) throws(TokenizerError) {
    do throws(FieldError) { try self.init(strict: json) } catch { throw .document(error) }
    guard JSON.isCanonical(bytes, json) else { throw .notCanonical }
  }

  private init(strict json: JSON) throws(FieldError) {
    var fields = try JSONFields(json, path: "")
    _ = try fields.choice("schema", [Self.schema])
    let model = try fields.string("model", bytesMax: 64)
    let preTokenizer = try fields.optional("preTokenizer") { value, path throws(FieldError) in
      try JSONFields.string(value, path: path, bytesMax: 64)
    }
    self.init(model: model, tokens: try fields.strings("tokens"))
    self.preTokenizer = preTokenizer
    merges = try fields.strings("merges")
    scoreBits = try fields.integers("scores", 0...Int(UInt32.max)).map { UInt32($0) }
    tokenTypes = try fields.integers("types", 0...255)
    beginID = try fields.id("beginOfSequence")
    endID = try fields.id("endOfSequence")
    unknownID = try fields.id("unknown")
    separatorID = try fields.id("separator")
    addsBegin = try fields.flag("addBegin")
    addsEnd = try fields.flag("addEnd")
    addsSeparator = try fields.flag("addSeparator")
    addsSpacePrefix = try fields.flag("addSpacePrefix")
    removesExtraSpaces = try fields.flag("removeExtraSpaces")
    lowercases = try fields.flag("lowercase")
    stripsAccents = try fields.flag("stripAccents")
    characterMap = try fields.optional("characterMap") { value, path throws(FieldError) in
      let text = try JSONFields.string(value, path: path, bytesMax: CharacterMap.bytesMax / 3 * 4 + 4)
      guard let bytes = Base64.bytes(text) else {
        throw .notAllowed(path: path, value: String(text.prefix(40)), wanted: "base64")
      }
      return bytes
    }
    try fields.finish()
  }
}

extension JSONFields {
  /// Nil for null.
  fileprivate mutating func optional<Value>(
    _ key: String, _ read: (JSON, String) throws(FieldError) -> Value
  ) throws(FieldError) -> Value? {
    let value = try take(key)
    return value.isNull ? nil : try read(value, path(of: key))
  }

  fileprivate mutating func id(_ key: String) throws(FieldError) -> Int? {
    try optional(key) { value, path throws(FieldError) in
      try JSONFields.integer(value, path: path, 0...(Vocabulary.idsMax - 1))
    }
  }

  fileprivate mutating func flag(_ key: String) throws(FieldError) -> Bool? {
    try optional(key) { value, path throws(FieldError) in
      guard let flag = value.bool else { throw .wrongType(path: path, wanted: "a boolean", found: value.kind) }
      return flag
    }
  }

  fileprivate mutating func strings(_ key: String) throws(FieldError) -> [[UInt8]] {
    let path = path(of: key)
    var out: [[UInt8]] = []
    for (i, item) in try array(key, countMax: 2 * Vocabulary.idsMax).enumerated() {
      let text = try JSONFields.string(item, path: "\(path)[\(i)]", bytesMax: 2 * Vocabulary.tokenBytesMax + 1)
      out.append(Array(text.utf8))
    }
    return out
  }

  fileprivate mutating func integers(_ key: String, _ range: ClosedRange<Int>) throws(FieldError) -> [Int] {
    let path = path(of: key)
    var out: [Int] = []
    for (i, item) in try array(key, countMax: Vocabulary.idsMax).enumerated() {
      out.append(try JSONFields.integer(item, path: "\(path)[\(i)]", range))
    }
    return out
  }
}
