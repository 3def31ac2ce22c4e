public import Digests
public import ModelGraph

/// 32 secret bytes that hide what a receipt commits to. Drawn by the node, one per answer.
public struct Salt: Sendable, Equatable {
  public let bytes: [UInt8]

  /// - Returns: nil unless there are exactly 32 bytes.
  public init?(_ bytes: [UInt8]) {
    guard bytes.count == 32 else { return nil }
    self.bytes = bytes
  }

  /// The salt of one use. A holder of the opening can show one of these and so open one commitment
  /// without making the others guessable.
  public func derived(for tag: DomainTag) -> [UInt8] {
    DomainTag.salt.digest(bytes, Array(tag.rawValue.utf8), as: Salt.self).bytes
  }
}

/// What a receipt says about prompt and answer without showing them.
///
/// A commitment is the tagged digest of a derived salt and the content: it binds the node, and says
/// nothing to anyone without the salt, however short the content.
///
/// Source: docs/spec/evidence.md, section 5.
public enum Commitment {
  public enum Prompt {}
  public enum InputTokens {}
  public enum OutputTokens {}
  public enum Text {}
  public enum EmbeddingInputs {}
  public enum Vectors {}

  /// To the canonical bytes of the request.
  public static func prompt(_ request: Request, salt: Salt) -> Digest<Prompt> {
    commit(.promptCommitment, salt, request.canonicalBytes)
  }

  /// To the digest of the token ids that were fed in.
  public static func inputTokens(_ tokens: [Int32], salt: Salt) -> Digest<InputTokens> {
    commit(.inputCommitment, salt, TokenDigest.input(tokens).bytes)
  }

  /// To the digest of the token ids that came out.
  public static func outputTokens(_ tokens: [Int32], salt: Salt) -> Digest<OutputTokens> {
    commit(.outputCommitment, salt, TokenDigest.output(tokens).bytes)
  }

  /// To the UTF-8 bytes of the answer.
  public static func text(_ text: String, salt: Salt) -> Digest<Text> {
    commit(.textCommitment, salt, Array(text.utf8))
  }

  /// To the canonical bytes of a request for embeddings.
  public static func prompt(_ request: EmbeddingRequest, salt: Salt) -> Digest<Prompt> {
    commit(.promptCommitment, salt, request.canonicalBytes)
  }

  /// To the digest of the token ids of every input.
  public static func embeddingInputs(_ inputs: [[Int32]], salt: Salt) -> Digest<EmbeddingInputs> {
    let digest: Digest<EmbeddingInputs> = DomainTag.embeddingInputs.digest(of: inputs.lazy.map(TokenDigest.bytes))
    return commit(.inputCommitment, salt, digest.bytes)
  }

  /// To the digest of the vectors: of each its exponent and its elements, as little-endian int32.
  public static func vectors(_ vectors: [EmbeddingVector], salt: Salt) -> Digest<Vectors> {
    let digest: Digest<Vectors> = DomainTag.embeddingVectors.digest(
      of: vectors.lazy.map { TokenDigest.bytes([Int32(truncatingIfNeeded: $0.exponent)] + $0.values) })
    return commit(.outputCommitment, salt, digest.bytes)
  }

  private static func commit<Subject>(_ tag: DomainTag, _ salt: Salt, _ content: [UInt8]) -> Digest<Subject> {
    tag.digest(salt.derived(for: tag), content)
  }
}

/// Digests of token sequences: the ids as little-endian u32, concatenated.
public enum TokenDigest {
  /// Also what the seed stream is bound to (docs/spec/arithmetic.md, section 7).
  public static func input(_ tokens: [Int32]) -> Digest<Commitment.InputTokens> {
    DomainTag.inputTokens.digest(bytes(tokens))
  }
  public static func output(_ tokens: [Int32]) -> Digest<Commitment.OutputTokens> {
    DomainTag.outputTokens.digest(bytes(tokens))
  }

  static func bytes(_ tokens: [Int32]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(tokens.count * 4)
    for token in tokens {
      let bits = UInt32(bitPattern: token)
      out.append(UInt8(truncatingIfNeeded: bits))
      out.append(UInt8(truncatingIfNeeded: bits >> 8))
      out.append(UInt8(truncatingIfNeeded: bits >> 16))
      out.append(UInt8(truncatingIfNeeded: bits >> 24))
    }
    return out
  }
}
