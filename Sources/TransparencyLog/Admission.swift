public import Receipts
import Synchronization

/// Whose entries a log takes, and how many of them.
public final class Admission: Sendable {
  public enum Nodes: Sendable, Equatable {
    case everyone
    case only(Set<NodePublicKey>)
  }

  private let nodes: Mutex<Nodes>
  private let limiter: Mutex<RateLimiter?>

  /// - Parameter entriesPerSecond: of each key; nil for no limit.
  public init(_ nodes: Nodes, entriesPerSecond: Int?) {
    self.nodes = Mutex(nodes)
    limiter = Mutex(entriesPerSecond.map { RateLimiter(perSecond: $0) })
  }

  /// Takes entries of these keys, too, from now on.
  public func add(_ keys: Set<NodePublicKey>) {
    nodes.withLock { if case .only(let known) = $0 { $0 = .only(known.union(keys)) } }
  }

  /// Whether there is a rate, against which entries count.
  var hasRate: Bool { limiter.withLock { $0 != nil } }

  /// Judges whose entry it is, and counts it against its signer's rate.
  public func admit(_ signed: SignedEntry, now: ContinuousClock.Instant = .now) throws(EntryRefusal) {
    try judge(signed)
    try count(signed, now: now)
  }

  func judge(_ signed: SignedEntry) throws(EntryRefusal) {
    if case .only(let keys) = nodes.withLock({ $0 }), keys.isDisjoint(with: signed.owners) {
      throw .notAdmitted(signed.entry.signer)
    }
  }

  func count(_ signed: SignedEntry, now: ContinuousClock.Instant = .now) throws(EntryRefusal) {
    let isWithin = limiter.withLock { $0?.take(signed.entry.signer, now: now) ?? true }
    guard isWithin else { throw .tooMany(retryAfterSeconds: 1) }
  }
}

extension Admission.Nodes {
  /// Reads a list: 64 hex digits a line; empty lines, and lines that begin with #, are ignored.
  public static func parse(_ text: String) throws(KeyListRejection) -> Admission.Nodes {
    var keys: Set<NodePublicKey> = []
    for (i, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      guard let word = line.split(whereSeparator: \.isWhitespace).first, !word.hasPrefix("#") else { continue }
      guard let key = NodePublicKey(hex: String(word)) else {
        throw KeyListRejection(line: i + 1, text: String(word.prefix(80)))
      }
      keys.insert(key)
    }
    return .only(keys)
  }
}

/// A line that is no node's public key.
public struct KeyListRejection: Error, Equatable, Sendable, CustomStringConvertible {
  public let line: Int
  public let text: String
  public var description: String {
    "line \(line) of the list of nodes: \"\(text)\" is not a node's public key, 64 lower-case hex digits"
  }
}

/// So many a second for each key, a second's worth at once.
struct RateLimiter: Sendable {
  /// Keys that are remembered; those that have all of their second left are forgotten first.
  static let keysMax = 1 << 16

  private struct Bucket {
    var left: Int64
    var filled: ContinuousClock.Instant
  }
  private let perSecond: Int64
  private var buckets: [NodePublicKey: Bucket] = [:]

  init(perSecond: Int) { self.perSecond = Int64(max(1, perSecond)) }

  mutating func take(_ key: NodePublicKey, now: ContinuousClock.Instant) -> Bool {
    if buckets[key] == nil, buckets.count >= RateLimiter.keysMax {
      buckets = buckets.filter { now - $0.value.filled < .seconds(1) }
      guard buckets.count < RateLimiter.keysMax else { return false }
    }
    var bucket = buckets[key] ?? Bucket(left: perSecond, filled: now)
    let elapsed = now - bucket.filled
    let grown = elapsed >= .seconds(1) ? perSecond : Int64(elapsed / .nanoseconds(1)) * perSecond / 1_000_000_000
    if grown > 0 {
      bucket.left = min(perSecond, bucket.left + grown)
      bucket.filled = now
    }
    defer { buckets[key] = bucket }
    guard bucket.left > 0 else { return false }
    bucket.left -= 1
    return true
  }
}
