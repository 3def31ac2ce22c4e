/// Finds stop strings in text that arrives in pieces, and holds back what may yet become one.
///
/// What it lets through is the delivered text: everything before the earliest stop string, once any
/// stop string is complete.
///
/// Source: docs/spec/evidence.md, "Stop strings".
public struct StopMatcher: Sendable {
  private let stops: [[UInt8]]
  private var held: [UInt8] = []
  /// Whether a stop string ended the text.
  public private(set) var matched = false

  /// Bytes that are held back.
  public var heldBytes: Int { held.count }

  public init(stops: [String]) {
    self.stops = stops.map { Array($0.utf8) }.filter { !$0.isEmpty }
  }

  /// Bytes that are certain not to be part of a stop string, in order.
  public mutating func feed(_ bytes: [UInt8]) -> [UInt8] {
    guard !matched else { return [] }
    held += bytes
    if let start = held.indices.first(where: { at in stops.contains { held[at...].starts(with: $0) } }) {
      matched = true
      return release(start)
    }
    // The earliest place from which everything so far could still grow into a stop string.
    let wait = held.indices.first { at in
      stops.contains { held.count - at < $0.count && $0.starts(with: held[at...]) }
    }
    return release(wait ?? held.count)
  }

  /// The text ended: what was held back is text after all.
  public mutating func flush() -> [UInt8] { matched ? [] : release(held.count) }

  private mutating func release(_ count: Int) -> [UInt8] {
    let out = Array(held[..<count])
    held.removeFirst(count)
    return out
  }
}
