public import Digests

/// The parts of evidence that are read one inside the other.
public enum EvidencePart: String, Sendable, Hashable {
  case file = "evidence file"
  case envelope
  case statement
  case manifest = "model manifest"
}

/// Why bytes are not a receipt or an evidence file.
public enum Rejection: Error, Equatable, Sendable, CustomStringConvertible {
  case notJSON(EvidencePart, JSONError)
  case field(EvidencePart, FieldError)

  public var description: String {
    switch self {
    case .notJSON(let part, let error): "the \(part.rawValue) cannot be read: \(error)"
    case .field(let part, let error): "in the \(part.rawValue), \(error)"
    }
  }

  /// Runs `body`, naming the part that a field error belongs to.
  static func reading<T>(
    _ part: EvidencePart, _ body: () throws(FieldError) -> T
  ) throws(Rejection) -> T {
    do { return try body() } catch { throw .field(part, error) }
  }

  static func parse(_ part: EvidencePart, _ bytes: [UInt8], bytesMax: Int) throws(Rejection) -> JSON {
    do { return try JSON.parse(bytes, bytesMax: bytesMax, depthMax: EvidenceLimits.depthMax) } catch {
      throw .notJSON(part, error)
    }
  }
}

/// Sizes that are enforced before anything is parsed.
///
/// Source: docs/spec/evidence.md, section 8.
public enum EvidenceLimits {
  public static let fileBytesMax = 32 << 20
  public static let envelopeBytesMax = 384 << 10
  public static let payloadBytesMax = 256 << 10
  public static let depthMax = 16
  /// Tokens of prompt and answer each.
  public static let tokensMax = 1 << 20
  /// UTF-8 bytes of the answer, and of each message.
  public static let textBytesMax = 16 << 20
  public static let messagesMax = 1 << 14
  /// Texts in one request for embeddings.
  public static let embeddingInputsMax = 2048
  /// Elements of all embeddings of a request, so that the file stays within its limit.
  public static let embeddingElementsMax = 1 << 21
  /// Elements of an embedding.
  public static let dimensionsMax = 1 << 14
  /// A verifier key of type 0x01: name, key ID, and base64 of 33 bytes.
  public static let logKeyBytesMax = 255 + 1 + 8 + 1 + 44
  /// Successions and revocations of a node's key in one file.
  public static let keysMax = 64
}
