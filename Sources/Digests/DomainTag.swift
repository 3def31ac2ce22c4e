/// Every prefix that separates one use of SHA-256 from another. There is no other list.
///
/// A tagged digest is SHA-256(tag ‖ 0x00 ‖ parts…), each part preceded by its length in bytes as a
/// big-endian UInt64: no two different lists of parts hash the same input.
public enum DomainTag: String, CaseIterable, Sendable {
  case inputTokens = "evident.tokens.in.v1"
  case outputTokens = "evident.tokens.out.v1"
  case embeddingInputs = "evident.embedding.inputs.v1"
  case embeddingVectors = "evident.embedding.vectors.v1"
  case salt = "evident.salt.v1"
  case promptCommitment = "evident.commit.prompt.v1"
  case inputCommitment = "evident.commit.input.v1"
  case outputCommitment = "evident.commit.output.v1"
  case textCommitment = "evident.commit.text.v1"
  case parameters = "evident.parameters.v1"
  case streamStart = "evident.stream.start.v1"
  case streamLink = "evident.stream.link.v1"
  case streamCheckpoint = "evident.stream.checkpoint.v1"
  case keySuccession = "evident.key.succession.v1"
  case seed = "evident.seed.v1"
  case draw = "evident.draw.v1"
  case trace = "evident.trace.v1"

  /// - Returns: SHA-256(tag ‖ 0x00 ‖ Σ (length ‖ part)).
  public func digest<Subject>(_ parts: [UInt8]..., as _: Subject.Type = Subject.self) -> Digest<Subject> {
    digest(of: parts)
  }

  /// The same of any number of parts.
  public func digest<Subject>(of parts: some Sequence<[UInt8]>) -> Digest<Subject> {
    var hasher = StreamingDigest<Subject>()
    hasher.update(Array(rawValue.utf8) + [0])
    for part in parts {
      hasher.update(UInt64(part.count).bigEndianBytes)
      hasher.update(part)
    }
    return hasher.finalized()
  }
}

extension FixedWidthInteger {
  /// Most significant byte first.
  public var bigEndianBytes: [UInt8] {
    stride(from: Self.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: self >> Self($0)) }
  }
  /// Least significant byte first.
  public var littleEndianBytes: [UInt8] { bigEndianBytes.reversed() }
}
