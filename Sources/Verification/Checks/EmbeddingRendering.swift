import Receipts

/// The opened inputs, through the model's tokenizer, give the opened tokens.
enum EmbeddingRenderingCheck: Check {
  static let name = CheckName.rendering

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    let model = try evidence.embeddingStatement().model.manifest
    let opening = try evidence.embeddingOpening()
    guard opening.request.inputs.count == opening.inputTokens.count else { throw .contradicted(.inputTokens) }
    if evidence.options.asksOnlyForReceipt { throw .receiptOnly }
    guard let renderer = evidence.options.models.renderer(for: model) else { throw .modelNotHere }
    for (input, opened) in zip(opening.request.inputs, opening.inputTokens) {
      let rendered: [Int32]
      do { rendered = try renderer.inputTokens(for: input) } catch { return .fail(.requestNotRenderable("\(error)")) }
      guard rendered == opened else {
        return .fail(
          .renderingDiffers(
            firstDifferenceAt: rendered.firstDifference(from: opened), rendered: rendered.count,
            opened: opened.count))
      }
    }
    return .pass("the inputs, through the model's tokenizer, give these tokens")
  }
}
