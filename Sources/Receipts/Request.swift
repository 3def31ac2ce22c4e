public import Digests

/// What was asked, as it was applied: the messages of a conversation or the text to continue.
public enum Request: Sendable {
  case chat([Message])
  case completion(prompt: String)

  public struct Message: Sendable {
    /// 1 to 32 lower-case letters and `_`: `system`, `user`, `assistant`, …
    public let role: String
    public let content: String

    public init(role: String, content: String) {
      self.role = role
      self.content = content
    }
  }

  public var endpoint: Statement.Endpoint {
    switch self {
    case .chat: .chatCompletions
    case .completion: .completions
    }
  }

  public var json: JSON {
    switch self {
    case .chat(let messages):
      ["messages": .array(messages.map { ["role": .string($0.role), "content": .string($0.content)] })]
    case .completion(let prompt): ["prompt": .string(prompt)]
    }
  }

  /// What a receipt commits to.
  public var canonicalBytes: [UInt8] {
    guard let bytes = try? json.canonicalBytes() else { preconditionFailure("a request holds strings only") }
    return bytes
  }

  init(_ value: JSON, path: String) throws(FieldError) {
    var fields = try JSONFields(value, path: path)
    if value["messages"] != nil {
      var messages: [Message] = []
      let items = try fields.array("messages", countMax: EvidenceLimits.messagesMax)
      for (i, item) in items.enumerated() {
        var entry = try JSONFields(item, path: "\(fields.path(of: "messages"))[\(i)]")
        messages.append(
          Message(
            role: try entry.role("role"), content: try entry.string("content", bytesMax: EvidenceLimits.textBytesMax)))
        try entry.finish()
      }
      self = .chat(messages)
    } else {
      self = .completion(prompt: try fields.string("prompt", bytesMax: EvidenceLimits.textBytesMax))
    }
    try fields.finish()
  }
}

extension Request: Equatable {
  /// Byte by byte: no Unicode equivalence.
  public static func == (a: Request, b: Request) -> Bool { a.json == b.json }
}

extension JSONFields {
  fileprivate mutating func role(_ key: String) throws(FieldError) -> String {
    let text = try string(key, bytesMax: 200)
    let allowed = text.utf8.allSatisfy { (0x61...0x7A).contains($0) || $0 == UInt8(ascii: "_") }
    guard allowed && (1...32).contains(text.utf8.count) else {
      throw .notAllowed(path: path(of: key), value: text, wanted: "1 to 32 lower-case letters and _")
    }
    return text
  }
}
