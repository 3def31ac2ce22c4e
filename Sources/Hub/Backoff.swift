/// How long to wait before the next attempt, and when to stop trying.
package struct Backoff: Sendable {
  /// Attempts after the first without any success in between.
  let retriesMax: Int
  private var retries = 0

  static let first = 0.5
  static let longest = 16.0
  /// A hub that asks to wait longer than this is not waited for.
  package static let retryAfterMax = 120

  package init(retriesMax: Int) { self.retriesMax = retriesMax }

  /// Something arrived: failures before that no longer count.
  package mutating func succeed() { retries = 0 }

  /// Seconds to wait; nil when it is time to give up.
  ///
  /// - Parameter retryAfter: what the server asked for.
  package mutating func next(retryAfter: Int? = nil, random: Double = .random(in: 0..<1)) -> Double? {
    guard retries < retriesMax else { return nil }
    // Half of it is chance, so that many clients that failed together do not come back together.
    var seconds = min(Backoff.longest, Backoff.first * Double(1 << min(retries, 16))) * (0.5 + random / 2)
    if let retryAfter {
      guard retryAfter <= Backoff.retryAfterMax else { return nil }
      seconds = max(seconds, Double(retryAfter) + random / 2)
    }
    retries += 1
    return seconds
  }
}
