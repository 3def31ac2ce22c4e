public import Digests

/// A named value at one position.
public struct TraceRecord: Sendable, Equatable {
  public let name: String
  public let position: Int
  public let value: Value

  public init(name: String, position: Int, value: Value) {
    self.name = name
    self.position = position
    self.value = value
  }
}

/// SHA-256 of every named value over all positions.
///
/// Two implementations that agree in these digests agree in every intermediate tensor.
///
/// Source: docs/spec/arithmetic.md, section 8.
public struct TraceDigests: Sendable {
  private var streams: [String: Stream] = [:]

  private struct Stream: Sendable {
    var digest = StreamingDigest<Value>()
    var nextPosition = 0
  }

  public init() {}

  /// Adds one value. For each name, positions must ascend.
  public mutating func record(_ record: TraceRecord) {
    var stream = streams[record.name] ?? Stream()
    precondition(record.position >= stream.nextPosition, "positions of \(record.name) must ascend")
    stream.digest.update(record.value.encoded)
    stream.nextPosition = record.position + 1
    streams[record.name] = stream
  }

  public mutating func record(name: String, position: Int, value: Value) {
    record(TraceRecord(name: name, position: position, value: value))
  }

  /// The digest of each name so far.
  public var digests: [String: Digest<Value>] { streams.mapValues { $0.digest.finalized() } }
}

extension Value {
  /// The bytes that a trace digests, little-endian.
  public var encoded: [UInt8] {
    var out: [UInt8] = []
    func append(_ integers: some Sequence<some FixedWidthInteger>) {
      integers.map(\.littleEndian).withUnsafeBytes { out.append(contentsOf: $0) }
    }
    switch self {
    case .residual(let v): append(v.x.lazy.map { Int64($0) })
    case .act16(let v):
      append([Int32(v.exponent)])
      append(v.q)
    case .act32(let v):
      append([Int32(v.exponent)])
      append(v.t)
    case .heads16(let v):
      let width = v.q.count / max(v.exponents.count, 1)
      for (h, exponent) in v.exponents.enumerated() {
        append([Int32(exponent)])
        append(v.q[(h * width)..<((h + 1) * width)])
      }
    case .heads32(let v):
      let width = v.t.count / max(v.exponents.count, 1)
      for (h, exponent) in v.exponents.enumerated() {
        append([Int32(exponent)])
        append(v.t[(h * width)..<((h + 1) * width)])
      }
    case .routes(let v):
      for (id, share) in zip(v.ids, v.shares) { append([id, share]) }
    }
    return out
  }
}
