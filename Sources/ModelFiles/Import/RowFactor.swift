/// What the scale of every row of a weight, or every element of a bias, is multiplied by.
///
/// Source: docs/spec/model.md, "query factor".
struct RowFactor {
  private let plain: Double
  private let rotated: Double
  private let headDimension: Int
  /// Elements of a head that have the factor `rotated`.
  private let rotatedElements: Int

  /// The same for all rows.
  init(_ factor: Double) {
    (plain, rotated, headDimension, rotatedElements) = (factor, factor, 1, 0)
  }

  /// Of queries, whose first elements of each head rotate.
  init(plain: Double, rotated: Double, headDimension: Int, rotatedElements: Int) {
    self.plain = plain
    self.rotated = rotated
    self.headDimension = headDimension
    self.rotatedElements = rotatedElements
  }

  static let one = RowFactor(1)

  subscript(row: Int) -> Double { row % headDimension < rotatedElements ? rotated : plain }
}
