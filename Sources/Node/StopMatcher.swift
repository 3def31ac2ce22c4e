/// Finds stop strings in text that arrives in pieces, and holds back what may yet become one.
///
/// What it lets through is the delivered text: everything before the earliest stop string.
public struct StopMatcher: Sendable {
  private let stops: [[UInt8]]
  private let longest: Int
  private var held: [UInt8] = []
  /// The stop string that ended the text.
  public private(set) var matched: String?

  public init(stops: [String]) {
    self.stops = stops.map { Array($0.utf8) }.filter { !$0.isEmpty }
    longest = self.stops.map(\.count).max() ?? 0
  }

  /// Bytes that are certain not to be part of a stop string, in order.
  public mutating func feed(_ bytes: [UInt8]) -> [UInt8] {
    guard matched == nil else { return [] }
    held += bytes
    return scan(moreMayCome: true)
  }

  /// The text ended: what was held back for a longer stop string is settled.
  public mutating func flush() -> [UInt8] { matched == nil ? scan(moreMayCome: false) : [] }

  private mutating func scan(moreMayCome: Bool) -> [UInt8] {
    guard longest > 0 else { return release(held.count) }
    for start in held.indices {
      let rest = held[start...]
      if let stop = stops.first(where: { rest.starts(with: $0) }) {
        matched = String(decoding: stop, as: UTF8.self)
        let out = Array(held[..<start])
        held = []
        return out
      }
      if moreMayCome && stops.contains(where: { rest.count < $0.count && $0.starts(with: rest) }) {
        return release(start)
      }
    }
    return release(held.count)
  }

  private mutating func release(_ count: Int) -> [UInt8] {
    let out = Array(held[..<count])
    held.removeFirst(count)
    return out
  }
}
