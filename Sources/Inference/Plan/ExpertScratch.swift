/// What one member needs for products with experts: activations of rows that share an expert, side by side, and
/// their results.
struct ExpertScratch {
  /// Rows that go through an expert together.
  static let rowsMax = 32
  /// Results of a unit stay in a core's second-level cache.
  private static let resultBytes = 256 << 10

  let planeBytes: Int
  /// Outputs that a unit may have.
  let outputsMax: Int

  init(_ steps: [Step]) {
    var (planeBytes, outputs) = (0, 0)
    for step in steps {
      guard case .experts(let experts) = step else { continue }
      planeBytes = max(planeBytes, experts.input.planeBytes)
      for product in experts.products { outputs = max(outputs, product.weights[0].paddedRows) }
    }
    self.planeBytes = planeBytes
    outputsMax = min(outputs, ExpertScratch.resultBytes / (4 * ExpertScratch.rowsMax))
  }

  var resultsOffset: Int { ExpertScratch.rowsMax * planeBytes }
  var byteCount: Int { resultsOffset + ExpertScratch.rowsMax * outputsMax * 4 }
}
