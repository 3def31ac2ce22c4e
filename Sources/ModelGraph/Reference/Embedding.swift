/// How the values of all positions become one vector.
public enum Pooling: String, Sendable, CaseIterable {
  /// The first position's.
  case cls
  /// The last position's.
  case last
  case mean
}

/// An embedding: real value of element c is values[c] · 2^exponent. No element is above 2^24 in magnitude,
/// so each is exactly a binary32 number.
public struct EmbeddingVector: Sendable, Equatable {
  public var values: [Int32]
  public var exponent: Int
  public init(values: [Int32], exponent: Int) {
    self.values = values
    self.exponent = exponent
  }
}

/// What makes an encoder's last residuals an embedding.
///
/// Source: docs/spec/arithmetic.md, section 4.17.
public enum Embedding {
  /// - Parameters:
  ///   - residuals: of all positions of a sequence, at least one and at most 2^13.
  ///   - dimensions: how many elements the vector has; 1 to the hidden size.
  ///   - fractionBits: F.
  public static func vector(
    _ residuals: [Residual], pooling: Pooling, normalised: Bool, dimensions: Int, fractionBits: Int
  ) -> EmbeddingVector {
    precondition(!residuals.isEmpty && residuals.count <= 1 << 13, "a sequence has positions")
    let pooled = pool(residuals, pooling, dimensions)
    if normalised {
      let values = ReferenceOperators.scaledToLength(pooled) { _ in 0 }
      return EmbeddingVector(values: values.map { Int32($0) }, exponent: -24)
    }
    let largest = pooled.reduce(0) { max($0, abs($1)) }
    let k = Rounding.quantisingShift(largest: largest, limit: 1 << 24)
    return EmbeddingVector(
      values: pooled.map { Int32(Rounding.shiftedRight($0, by: k)) }, exponent: k - fractionBits)
  }

  private static func pool(_ residuals: [Residual], _ pooling: Pooling, _ dimensions: Int) -> [Int] {
    switch pooling {
    case .cls: return Array(residuals[0].x[..<dimensions])
    case .last: return Array(residuals[residuals.count - 1].x[..<dimensions])
    case .mean:
      // 2^13 residuals of at most 2^46 each.
      return (0..<dimensions).map { c in
        Rounding.divided(residuals.reduce(0) { $0 + $1.x[c] }, by: residuals.count)
      }
    }
  }
}
