public import Digests

/// What a receipt commits to, shown: the private half of an evidence file.
///
/// Source: docs/spec/evidence.md, section 8.
public struct Opening: Sendable {
  public let salt: Salt
  public let request: Request
  public let inputTokens: [Int32]
  /// The end-of-sequence token included, when the model chose it.
  public let outputTokens: [Int32]
  /// The answer as it was delivered.
  public let text: String

  public init(salt: Salt, request: Request, inputTokens: [Int32], outputTokens: [Int32], text: String) {
    self.salt = salt
    self.request = request
    self.inputTokens = inputTokens
    self.outputTokens = outputTokens
    self.text = text
  }

  public var json: JSON {
    [
      "salt": .string(Hex.string(salt.bytes)),
      "request": request.json,
      "inputTokens": .array(inputTokens.map { .integer(Int($0)) }),
      "outputTokens": .array(outputTokens.map { .integer(Int($0)) }),
      "text": .string(text),
    ]
  }

  init(_ value: JSON, path: String) throws(FieldError) {
    var fields = try JSONFields(value, path: path)
    salt = try fields.salt("salt")
    request = try Request(try fields.take("request"), path: fields.path(of: "request"))
    inputTokens = try fields.tokens("inputTokens")
    outputTokens = try fields.tokens("outputTokens")
    text = try fields.string("text", bytesMax: EvidenceLimits.textBytesMax)
    try fields.finish()
  }
}

extension Opening: Equatable {
  /// Byte by byte: no Unicode equivalence.
  public static func == (a: Opening, b: Opening) -> Bool {
    a.salt == b.salt && a.request == b.request && a.inputTokens == b.inputTokens
      && a.outputTokens == b.outputTokens && a.text.utf8.elementsEqual(b.text.utf8)
  }
}
