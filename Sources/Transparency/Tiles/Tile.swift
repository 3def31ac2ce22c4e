/// Consecutive hashes of one height of a tree.
///
/// Source: C2SP tlog-tiles, "Merkle Tree".
public struct Tile: Sendable, Equatable {
  public let path: TilePath
  /// As many as the path says.
  public let hashes: [MerkleHash]

  /// - Returns: nil unless the path is one of hashes and there are as many as it says.
  public init?(path: TilePath, hashes: [MerkleHash]) {
    guard case .hashes = path.kind, hashes.count == path.width else { return nil }
    self.path = path
    self.hashes = hashes
  }

  /// Reads the bytes that a log serves under `path`, which is one of hashes.
  public init(path: TilePath, parsing bytes: [UInt8]) throws(TileRejection) {
    guard case .hashes = path.kind else { throw .path(path.description, wanted: "a level, not entries") }
    let wanted = path.width * MerkleHash.byteCount
    guard bytes.count == wanted else { throw .tileLength(found: bytes.count, wanted: wanted) }
    var hashes: [MerkleHash] = []
    hashes.reserveCapacity(path.width)
    for start in stride(from: 0, to: wanted, by: MerkleHash.byteCount) {
      guard let hash = MerkleHash(bytes: bytes[start..<(start + MerkleHash.byteCount)]) else {
        throw .tileLength(found: bytes.count, wanted: wanted)
      }
      hashes.append(hash)
    }
    self.path = path
    self.hashes = hashes
  }

  /// 32 bytes for each hash.
  public var bytes: [UInt8] { hashes.flatMap(\.bytes) }

  /// The hash that stands for a full tile one level above; of a partial one, the root of its part of the tree.
  public var root: MerkleHash {
    var range = CompactRange()
    for hash in hashes { range.append(hash) }
    return range.root
  }

  /// The hash of `2^height` of the tile's hashes, `height` 0…8, all of them present.
  func hash(height: Int, index: Int) -> MerkleHash {
    var range = CompactRange()
    for hash in hashes[(index << height)..<((index + 1) << height)] { range.append(hash) }
    return range.root
  }
}
