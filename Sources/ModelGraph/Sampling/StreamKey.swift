public import Digests

/// The key of the random bits of one answer.
///
/// It is bound to the model, the exact input, the parameters, the seed and a nonce, so that whoever
/// runs the model has nothing left to choose.
///
/// Source: docs/spec/arithmetic.md, section 7, "Random bits".
public struct StreamKey: Sendable, Equatable {
  private let digest: Digest<StreamKey>

  /// - Parameters:
  ///   - inputTokens: the ids that are fed in, all of them.
  ///   - parameters: as applied; without a seed it counts as 0.
  ///   - nonce: as the statement gives it.
  public init(
    model: Digest<ModelManifest>, inputTokens: [Int32], parameters: SamplingParameters, nonce: [UInt8]
  ) {
    let input: Digest<StreamKey> = DomainTag.inputTokens.digest(
      inputTokens.flatMap { UInt32(bitPattern: $0).littleEndianBytes })
    digest = DomainTag.seed.digest(
      model.bytes, input.bytes, parameters.digest.bytes, (parameters.seed ?? 0).bigEndianBytes, nonce)
  }

  /// 32 bytes.
  public var bytes: [UInt8] { digest.bytes }

  /// u: the random bits of one output position, 0 for the first generated token.
  public func draw(position: Int) -> UInt64 {
    let digest: Digest<StreamKey> = DomainTag.draw.digest(bytes, UInt64(position).bigEndianBytes)
    return digest.bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
  }
}
