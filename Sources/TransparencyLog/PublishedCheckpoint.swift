public import Transparency

/// The checkpoint that readers get, with the signatures of those who have witnessed it.
///
/// It follows the sequencer's own, `.latest`, at some distance, and never goes back.
public struct PublishedCheckpoint<Storage: LogStorage>: Sendable {
  public static var path: String { "checkpoint" }

  private let storage: Storage
  /// Nil before the first one.
  public private(set) var signed: SignedCheckpoint?

  /// - Parameter latest: the sequencer's own.
  /// - Throws: if what is stored is not a checkpoint of this log, or not of these tiles.
  public init(storage: Storage, log: NoteVerifierKey, latest: Checkpoint) throws(LogFailure) {
    self.storage = storage
    let path = PublishedCheckpoint.path
    let read = try LogFailure.storing { () throws(StorageFailure) in try storage.read(path) }
    guard let bytes = read else { return }
    let stored: SignedCheckpoint
    do throws(CheckpointRejection) {
      stored = try SignedCheckpoint(parsing: bytes)
      _ = try stored.verified(by: [log])
    } catch { throw .checkpoint(error) }
    let size = stored.checkpoint.size
    guard size <= latest.size else {
      throw .damaged(path: path, reason: "it has \(size) entries and \(LatestCheckpoint.path) only \(latest.size)")
    }
    let root: MerkleHash
    do { root = try TileTree(size: latest.size, source: StorageTiles(storage: storage)).root(ofFirst: size) } catch {
      throw LogFailure(error)
    }
    guard root == stored.checkpoint.root else {
      throw .damaged(path: path, reason: "its root is not that of the tiles")
    }
    signed = stored
  }

  /// Replaces the checkpoint by a later one, or by the same one with more signatures. The caller has verified it.
  ///
  /// Partial tiles that a full one stands in for are removed: whoever asks for them reads the full one.
  public mutating func publish(_ new: SignedCheckpoint) throws(LogFailure) {
    let oldSize = signed?.checkpoint.size ?? 0
    precondition(new.checkpoint.size >= oldSize, "a published checkpoint never goes back")
    let storage = storage
    let path = PublishedCheckpoint.path
    try LogFailure.storing { () throws(StorageFailure) in
      try storage.write([StoredFile(path: path, bytes: new.bytes)])
    }
    signed = new
    try LogFailure.storing { () throws(StorageFailure) in
      for folder in PublishedCheckpoint.completed(from: oldSize, to: new.checkpoint.size) {
        try storage.removeFolder(folder)
      }
    }
  }

  /// The folders of the partial forms of all tiles that are full in the larger tree and were not in the smaller one.
  private static func completed(from old: UInt64, to new: UInt64) -> [String] {
    var folders: [String] = []
    for level in 0...7 {
      let shift = UInt64(8 * level + 8)
      guard shift < 64, new >> shift > old >> shift else { break }
      for index in (old >> shift)..<(new >> shift) {
        let kinds: [TilePath.Kind] = level == 0 ? [.hashes(level: 0), .entries] : [.hashes(level: level)]
        folders += kinds.compactMap { TilePath($0, index: index).map { "\($0).p" } }
      }
    }
    return folders
  }
}

/// The sequencer's own checkpoint, signed by the log alone and shown to nobody but witnesses.
enum LatestCheckpoint {
  static let path = ".latest"
}
