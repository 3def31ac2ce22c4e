import Receipts

/// The opened request, through the model's chat template and tokenizer, gives the opened input tokens.
enum RenderingCheck: Check {
  static let name = CheckName.rendering

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    let statement = try evidence.statement()
    let opening = try evidence.opening()
    if evidence.options.asksOnlyForReceipt { throw .receiptOnly }
    guard let renderer = evidence.options.models.renderer(for: statement.model.manifest) else { throw .modelNotHere }
    let rendered: [Int32]
    do { rendered = try renderer.inputTokens(for: opening.request, time: statement.time) } catch {
      return .fail(.requestNotRenderable("\(error)"))
    }
    guard rendered == opening.inputTokens else {
      return .fail(
        .renderingDiffers(
          firstDifferenceAt: rendered.firstDifference(from: opening.inputTokens), rendered: rendered.count,
          opened: opening.inputTokens.count))
    }
    return .pass("the request, through the model's template and tokenizer, gives these input tokens")
  }
}
