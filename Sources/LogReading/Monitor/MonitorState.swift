import Digests
public import Transparency
import TransparencyLog

/// How far a log has been verified: its last good checkpoint, and what is needed to go on from there.
///
/// Entries that are not looked at yet, because those before them gave too many alarms for one round, are behind the
/// range: a proof shows that it is the beginning of the checkpoint's tree.
///
/// Trust: whoever changes the file can make the monitor start over or stop, and hide a fork from it; not accuse a log.
public struct MonitorState: Sendable, Equatable {
  public let signed: SignedCheckpoint
  /// Of the entries that were looked at.
  let range: CompactRange
  /// From the range to the checkpoint; nil if the range is all of it.
  private let proof: ConsistencyProof?

  var checkpoint: Checkpoint { signed.checkpoint }
  /// Whether all entries of the checkpoint were looked at.
  public var isWhole: Bool { proof == nil }
  private static let header = "evident.monitor.v1"
  private static let partHeader = "evident.monitor.part.v1"

  /// - Returns: nil unless the hashes add up to the checkpoint's root.
  init?(_ signed: SignedCheckpoint, _ range: CompactRange) {
    guard range.size == signed.checkpoint.size, range.root == signed.checkpoint.root else { return nil }
    self.signed = signed
    self.range = range
    proof = nil
  }

  /// - Returns: nil unless the proof leads from the hashes to the checkpoint's root.
  init?(_ signed: SignedCheckpoint, _ range: CompactRange, _ proof: ConsistencyProof) {
    guard proof.oldSize == range.size, proof.newSize == signed.checkpoint.size, range.size < signed.checkpoint.size,
      (try? proof.verify(oldRoot: range.root, newRoot: signed.checkpoint.root)) != nil
    else { return nil }
    self.signed = signed
    self.range = range
    self.proof = proof
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
    guard let state = parse(bytes) else {
      throw MonitorFailure(
        reason: "\(path) of \(place) is not a state of this monitor",
        remedy: "restore it, or move it away to verify the log from its beginning")
    }
    return state
  }

  private static func parse(_ bytes: [UInt8]) -> MonitorState? {
    var left = bytes[...]
    func line() -> [ArraySlice<UInt8>]? {
      guard let end = left.firstIndex(of: 0x0A) else { return nil }
      defer { left = left[(end + 1)...] }
      return left[..<end].split(separator: 0x20)
    }
    let first = line()?.first.map { String(decoding: $0, as: UTF8.self) }
    guard first == header || first == partHeader, let hashes = line()?.compactMap({ MerkleHash(base64: $0) }) else {
      return nil
    }
    if first == header {
      guard let signed = try? SignedCheckpoint(parsing: Array(left)),
        let range = CompactRange(size: signed.checkpoint.size, hashes: hashes)
      else { return nil }
      return MonitorState(signed, range)
    }
    guard let proof = line(), let text = proof.first, let size = UInt64(String(decoding: text, as: UTF8.self)),
      let signed = try? SignedCheckpoint(parsing: Array(left)), let range = CompactRange(size: size, hashes: hashes)
    else { return nil }
    return MonitorState(
      signed, range,
      ConsistencyProof(
        oldSize: size, newSize: signed.checkpoint.size,
        hashes: proof.dropFirst().compactMap { MerkleHash(base64: $0) }))
  }

  /// Durable when it returns.
  func write(_ place: String, _ storage: some LogStorage) throws {
    func text(_ hashes: [MerkleHash]) -> String { hashes.map(\.base64).joined(separator: " ") + "\n" }
    var head = (isWhole ? MonitorState.header : MonitorState.partHeader) + "\n" + text(range.hashes)
    if let proof { head += "\(proof.oldSize) " + text(proof.hashes) }
    try storage.write([StoredFile(path: MonitorState.path(place), bytes: Array(head.utf8) + signed.bytes)])
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
