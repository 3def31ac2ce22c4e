/// What a log sends to a witness: its new checkpoint, and that the one before is its beginning.
///
/// Source: C2SP tlog-witness, "add-checkpoint".
public struct AddCheckpointRequest: Sendable, Equatable {
  /// Enough for a tree of 2^63 entries.
  public static let hashesMax = 63
  /// The old size, all hashes, an empty line and the longest note.
  public static let bytesMax = 64 + hashesMax * 45 + Note.bytesMax

  /// Of the checkpoint that the witness cosigned last; 0 if none.
  public let oldSize: UInt64
  public let hashes: [MerkleHash]
  public let signed: SignedCheckpoint

  /// - Throws: if there are more hashes than a proof can have, or the old size is beyond 2^63 - 1.
  public init(
    oldSize: UInt64, hashes: [MerkleHash], signed: SignedCheckpoint
  ) throws(AddCheckpointRejection) {
    guard oldSize <= CanonicalDecimal.valueMax else { throw .oldSize(String(oldSize)) }
    guard hashes.count <= AddCheckpointRequest.hashesMax else { throw .tooManyHashes }
    self.oldSize = oldSize
    self.hashes = hashes
    self.signed = signed
  }

  public init(parsing bytes: [UInt8]) throws(AddCheckpointRejection) {
    guard bytes.count <= AddCheckpointRequest.bytesMax else { throw .tooLong(byteCount: bytes.count) }
    var left = bytes[...]
    /// Nil without a newline.
    func nextLine() -> ArraySlice<UInt8>? {
      guard let end = left.firstIndex(of: 0x0A) else { return nil }
      defer { left = left[(end + 1)...] }
      return left[..<end]
    }
    guard let first = nextLine(), first.starts(with: "old ".utf8),
      let oldSize = CanonicalDecimal.value(first.dropFirst(4))
    else { throw .oldSize(ByteText.shown(bytes.prefix { $0 != 0x0A }, bytesMax: 40)) }
    var hashes: [MerkleHash] = []
    while true {
      guard let line = nextLine() else { throw .ended(line: hashes.count + 2) }
      if line.isEmpty { break }
      guard hashes.count < AddCheckpointRequest.hashesMax else { throw .tooManyHashes }
      guard let hash = MerkleHash(base64: line) else { throw .hash(line: hashes.count + 2) }
      hashes.append(hash)
    }
    do { signed = try SignedCheckpoint(parsing: Array(left)) } catch { throw .checkpoint(error) }
    self.oldSize = oldSize
    self.hashes = hashes
  }

  /// What ``init(parsing:)`` reads: equal to what it read.
  public var bytes: [UInt8] {
    Array(("old \(oldSize)\n" + hashes.map { $0.base64 + "\n" }.joined() + "\n").utf8) + signed.bytes
  }

  public var proof: ConsistencyProof {
    ConsistencyProof(oldSize: oldSize, newSize: signed.checkpoint.size, hashes: hashes)
  }
}

/// Why bytes are not such a request. Lines count from 1.
public enum AddCheckpointRejection: Error, Equatable, Sendable, CustomStringConvertible {
  case tooLong(byteCount: Int)
  case oldSize(String)
  case ended(line: Int)
  case hash(line: Int)
  case tooManyHashes
  case checkpoint(CheckpointRejection)

  public var description: String {
    switch self {
    case .tooLong(let count): "the request is \(count) bytes long; the limit is \(AddCheckpointRequest.bytesMax)"
    case .oldSize(let line): "\"\(line)\" is not old and a decimal number up to 2^63 - 1"
    case .ended(let line): "the request ends at line \(line), before an empty line and a checkpoint"
    case .hash(let line): "line \(line) of the request is not the padded base64 of 32 bytes"
    case .tooManyHashes: "the request has more than \(AddCheckpointRequest.hashesMax) hashes"
    case .checkpoint(let rejection): rejection.description
    }
  }
}
