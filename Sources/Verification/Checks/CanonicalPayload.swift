import Receipts

/// The signed bytes are the one spelling of what they say.
enum CanonicalPayloadCheck: Check {
  static let name = CheckName.canonicalPayload

  static func run(_ evidence: Evidence) throws(SkipReason) -> CheckOutcome {
    let found = try evidence.readDocument().envelope.payload
    let canonical = try evidence.claim().payload
    guard found != canonical else { return .pass("the payload is canonical JSON") }
    return .fail(.payloadNotCanonical(firstDifferenceAt: found.firstDifference(from: canonical)))
  }
}

extension Collection where Element: Equatable {
  /// How many elements are the same at the start.
  func firstDifference(from other: some Collection<Element>) -> Int {
    var count = 0
    for (a, b) in zip(self, other) {
      if a != b { break }
      count += 1
    }
    return count
  }
}
