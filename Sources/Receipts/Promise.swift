import Digests
public import Transparency

extension Statement {
  /// By when a statement will stand in which public log. A statement that is not in that log after that time refutes
  /// its node.
  ///
  /// Source: docs/spec/evidence.md, section 3.
  public struct Promise: Sendable, Hashable {
    /// The log's key, of type 0x01: its name is the origin of the log's checkpoints.
    public let log: NoteVerifierKey
    /// RFC 3339, UTC, to the second.
    public let loggedBy: String

    public init(log: NoteVerifierKey, loggedBy: String) {
      self.log = log
      self.loggedBy = loggedBy
    }
  }
}

extension Statement.Promise {
  /// The longest envelope that can be an entry of a log. A longer one is signed without a promise.
  public static let envelopeBytesMax = EntryBundle.entryBytesMax

  var json: JSON { ["log": .string(log.description), "loggedBy": .string(loggedBy)] }

  fileprivate init(_ fields: JSONFields) throws(FieldError) {
    var fields = fields
    log = try fields.logKey("log")
    loggedBy = try fields.time("loggedBy")
    try fields.finish()
  }
}

extension JSONFields {
  /// Null, or a promise.
  mutating func promise(_ key: String) throws(FieldError) -> Statement.Promise? {
    let value = try take(key)
    return value.isNull ? nil : try Statement.Promise(try JSONFields(value, path: path(of: key)))
  }

  fileprivate mutating func logKey(_ key: String) throws(FieldError) -> NoteVerifierKey {
    let text = try string(key, bytesMax: EvidenceLimits.logKeyBytesMax)
    func rejection(_ reason: String) -> FieldError {
      .notAllowed(path: path(of: key), value: String(text.prefix(80)), wanted: "the verifier key of a log: \(reason)")
    }
    let parsed: NoteVerifierKey
    do { parsed = try NoteVerifierKey(text) } catch { throw rejection(error.description) }
    guard parsed.kind == .ed25519 else { throw rejection("a key of type 0x04 is a witness's") }
    return parsed
  }
}
