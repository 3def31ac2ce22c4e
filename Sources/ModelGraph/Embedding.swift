/// What an encoder says about a text: one vector, with real values v_c · 2^exponent.
///
/// A pure function of the residuals, used alike by who computes them and by who checks them.
///
/// Source: docs/spec/arithmetic.md, section 4.17.
public struct Embedding: Sendable, Equatable {
  /// At most 2^24 in magnitude. Shape: dimensions.
  public let values: [Int32]
  public let exponent: Int

  /// 2^24: length of a normalised vector, and the bound of the elements of others.
  private static let elementLimit = 1 << 24

  /// - Parameters:
  ///   - residuals: the last residual of every position of the sequence, each of the model's hidden size.
  ///   - config: an encoder's.
  ///   - dimensions: how many elements are wanted, the first ones; nil for all.
  /// - Throws: ``EvaluationRejection``.
  public init(
    residuals: [Residual], config: ModelConfiguration, dimensions: Int? = nil
  ) throws(EvaluationRejection) {
    guard let pooling = config.pooling else { throw .generatesOnly }
    guard let first = residuals.first, let last = residuals.last else { throw .noTokens }
    let wanted = dimensions ?? config.hiddenSize
    guard 1...config.hiddenSize ~= wanted else { throw .dimensionsOutOfRange(wanted, max: config.hiddenSize) }
    let pooled: [Int] =
      switch pooling {
      case .cls: Array(first.x[..<wanted])
      case .last: Array(last.x[..<wanted])
      // |x| < 2^46 at no more than 2^13 positions: the sum stays below 2^59.
      case .mean:
        (0..<wanted).map { c in Rounding.divided(residuals.reduce(0) { $0 + $1.x[c] }, by: residuals.count) }
      }
    if config.normalised {
      values = ReferenceOperators.scaledToLength(pooled) { _ in 0 }.map { Int32($0) }
      exponent = -24
    } else {
      let k = Rounding.quantisingShift(largest: pooled.reduce(0) { max($0, abs($1)) }, limit: Embedding.elementLimit)
      values = pooled.map { Int32(Rounding.shiftedRight($0, by: k)) }
      exponent = k - config.residualFractionBits
    }
  }
}
