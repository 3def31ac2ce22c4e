import ModelGraph
import Receipts

/// The opened text is what the output tokens stand for, cut at the first stop string and nowhere else.
enum DecodingCheck: Check {
  static let name = CheckName.decoding

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    let statement = try evidence.statement()
    let opening = try evidence.opening()
    let manifest = try evidence.manifest()
    let ends = Set(manifest.tokens.endOfSequence)
    guard opening.outputTokens.allSatisfy({ Int($0) < manifest.config.vocabularySize }) else {
      throw .contradicted(.outputTokens)
    }
    if evidence.options.asksOnlyForReceipt { throw .receiptOnly }
    guard let renderer = evidence.options.models.renderer(for: statement.model.manifest) else { throw .modelNotHere }
    let finish = statement.output.finish
    // Of a cut answer only what was delivered has a text.
    var tokens =
      finish.reason == "cancelled"
      ? opening.outputTokens.prefix(statement.stream.deliveredTokens) : opening.outputTokens[...]
    if let last = tokens.last, ends.contains(last) { tokens.removeLast() }
    do {
      var decoded = try renderer.bytes(of: tokens)
      let stop = StopSearch(statement.parameters.stop)
      let found = stop.first(in: decoded)
      if finish == .stopString {
        guard let found else { return .fail(.stopStringMissing) }
        if stop.first(in: try renderer.bytes(of: tokens.dropLast())) != nil {
          return .fail(.stopStringEarlier(tokens: tokens.count - 1))
        }
        decoded.removeSubrange(found...)
      } else if found != nil {
        return .fail(.stopStringIgnored(finish))
      }
      let text = Array(String(decoding: decoded, as: UTF8.self).utf8)
      guard text.elementsEqual(opening.text.utf8) else {
        return .fail(.textDiffers(firstDifferenceAt: text.firstDifference(from: opening.text.utf8)))
      }
    } catch {
      return .fail(.tokensNotDecodable("\(error)"))
    }
    return .pass("the output tokens decode to exactly this text")
  }
}
