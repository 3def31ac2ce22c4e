import Digests
public import Transparency
import TransparencyLog

/// How far a log has been verified: its last good checkpoint, and what is needed to go on from there.
///
/// Trust: whoever changes the file can make the monitor start over or stop, and hide a fork from it; not accuse a log.
public struct MonitorState: Sendable, Equatable {
  public let signed: SignedCheckpoint
  let range: CompactRange

  var checkpoint: Checkpoint { signed.checkpoint }
  private static let header = "evident.monitor.v1"

  /// - Returns: nil unless the hashes add up to the checkpoint's root.
  init?(_ signed: SignedCheckpoint, _ range: CompactRange) {
    guard range.size == signed.checkpoint.size, range.root == signed.checkpoint.root else { return nil }
    self.signed = signed
    self.range = range
  }

  /// Under which witnesses serve what they have cosigned of a log.
  public static func originHash(_ origin: ByteText) -> String { Digest<MonitorState>(of: origin.bytes).hex }

  static func path(_ place: String) -> String {
    String(Digest<MonitorState>(of: Array(place.utf8)).hex.prefix(32)) + "/state"
  }

  /// - Returns: nil if nothing was verified yet.
  static func read(_ place: String, _ storage: some LogStorage) throws -> MonitorState? {
    let path = path(place)
    guard let bytes = try storage.read(path) else { return nil }
    let parts = bytes.split(separator: 0x0A, maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0].elementsEqual(header.utf8),
      let signed = try? SignedCheckpoint(parsing: Array(parts[2])),
      let range = CompactRange(
        size: signed.checkpoint.size,
        hashes: parts[1].split(separator: 0x20).compactMap { MerkleHash(base64: $0) }),
      let state = MonitorState(signed, range)
    else {
      throw MonitorFailure(
        reason: "\(path) of \(place) is not a state of this monitor",
        remedy: "restore it, or move it away to verify the log from its beginning")
    }
    return state
  }

  /// Durable when it returns.
  func write(_ place: String, _ storage: some LogStorage) throws {
    let text = MonitorState.header + "\n" + range.hashes.map(\.base64).joined(separator: " ") + "\n"
    try storage.write([StoredFile(path: MonitorState.path(place), bytes: Array(text.utf8) + signed.bytes)])
  }
}

/// Why a log could not be watched; not the log's fault.
public struct MonitorFailure: Error, Sendable, CustomStringConvertible {
  public let reason: String
  public let remedy: String

  public init(reason: String, remedy: String) {
    self.reason = reason
    self.remedy = remedy
  }

  public var description: String { "\(reason); \(remedy)" }
}
