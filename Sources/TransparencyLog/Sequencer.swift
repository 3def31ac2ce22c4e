public import Transparency

/// Gives entries their places, in batches, and publishes a checkpoint when everything under it is durable.
///
/// A batch is written in three steps: its entries as `.pending`, then tiles and bundles, then the checkpoint. Who
/// dies in between has published nothing; when the log is opened again, the same entries go through the same steps,
/// so that a tile once written never changes, whoever may have seen and kept it.
///
/// Source: docs/spec/transparency.md, section 5.
public struct Sequencer<Storage: LogStorage>: Sendable {
  public let storage: Storage
  private let signer: NoteSigner
  private var appender: TileAppender
  // Entries of the last, partial bundle.
  private var openBundle: [[UInt8]]
  // Where each entry is: its leaf hash, and its index.
  private var indices: [MerkleHash: UInt64]
  private var hasFailed = false
  /// The last checkpoint that was published.
  public private(set) var published: SignedCheckpoint

  /// Opens a log, or begins one if the storage is empty, in which case its empty checkpoint is published.
  ///
  /// Reads the hashes of all entries: 32 bytes each.
  public init(storage: Storage, signer: NoteSigner) throws(LogFailure) {
    self.storage = storage
    self.signer = signer
    let reader = StorageTiles(storage: storage)
    if let bytes = try LogFailure.storing({ () throws(StorageFailure) in try storage.read("checkpoint") }) {
      do throws(CheckpointRejection) {
        published = try SignedCheckpoint(parsing: bytes)
        _ = try published.verified(by: [signer.verifierKey])
      } catch { throw .checkpoint(error) }
    } else {
      published = try Sequencer.sign(signer, size: 0, root: .emptyRoot)
      let first = StoredFile(path: "checkpoint", bytes: published.bytes)
      try LogFailure.storing { () throws(StorageFailure) in try storage.write([first]) }
    }
    let checkpoint = published.checkpoint
    do { appender = try TileAppender(size: checkpoint.size, source: reader) } catch { throw LogFailure(error) }
    guard appender.root == checkpoint.root else {
      throw .damaged(path: "tile", reason: "the tiles do not add up to the checkpoint's root")
    }
    indices = [:]
    indices.reserveCapacity(Int(checkpoint.size))
    for start in stride(from: UInt64(0), to: checkpoint.size, by: TilePath.widthMax) {
      guard let path = TilePath(.hashes(level: 0), index: start / 256, in: checkpoint.size) else { continue }
      for (i, hash) in try reader.tile(path).hashes.enumerated() where indices[hash] == nil {
        indices[hash] = start + UInt64(i)
      }
    }
    openBundle = []
    if let path = TilePath(.entries, index: checkpoint.size / 256, in: checkpoint.size) {
      openBundle = try reader.bundle(path).entries
      let hashes = openBundle.map { MerkleHash.leaf($0) }
      guard let tile = TilePath(.hashes(level: 0), index: path.index, in: checkpoint.size),
        try reader.tile(tile).hashes == hashes
      else { throw .damaged(path: path.description, reason: "its entries are not those of the tile") }
    }
    if let pending = try PendingBatch.read(from: storage), pending.size == checkpoint.size {
      _ = try append(pending.entries)
    }
  }

  /// The number of entries in the published checkpoint.
  public var size: UInt64 { published.checkpoint.size }

  /// Whether an entry with that hash is in the log, and where.
  public func index(of leaf: MerkleHash) -> UInt64? { indices[leaf] }

  /// Appends a batch. When it returns, the entries are durable and in the published checkpoint.
  ///
  /// - Returns: for each entry its index, that of the first if it is there already, in the log or in this batch.
  /// - Throws: after a failed write the log has stopped, and must be opened again.
  public mutating func append(_ entries: [[UInt8]]) throws(LogFailure) -> [SequencedEntry] {
    guard !hasFailed else { throw .stopped }
    for entry in entries where !(1...EntryBundle.entryBytesMax).contains(entry.count) {
      throw .entry(byteCount: entry.count)
    }
    let byteCount = entries.reduce(8) { $0 + 2 + $1.count }
    guard byteCount <= PendingBatch.bytesMax else { throw .batch(byteCount: byteCount) }
    var sequenced: [SequencedEntry] = []
    var fresh: [[UInt8]] = []
    var leaves: [MerkleHash] = []
    for entry in entries {
      let leaf = MerkleHash.leaf(entry)
      let next = size + UInt64(fresh.count)
      if let first = indices[leaf] {
        sequenced.append(SequencedEntry(index: first, isDuplicate: true))
        continue
      }
      indices[leaf] = next
      sequenced.append(SequencedEntry(index: next, isDuplicate: false))
      fresh.append(entry)
      leaves.append(leaf)
    }
    guard !fresh.isEmpty else { return sequenced }
    // Until the checkpoint is durable nothing of this may be believed again.
    hasFailed = true
    let files =
      try bundles(fresh) + appender.append(leaves).map { StoredFile(path: $0.path.description, bytes: $0.bytes) }
    let checkpoint = try Sequencer.sign(signer, size: appender.size, root: appender.root)
    let storage = storage
    let pending = PendingBatch(size: size, entries: fresh).file
    try LogFailure.storing { () throws(StorageFailure) in
      try storage.write([pending])
      try storage.write(files)
      try storage.write([StoredFile(path: "checkpoint", bytes: checkpoint.bytes)])
    }
    published = checkpoint
    hasFailed = false
    return sequenced
  }

  /// The bundles that `entries` complete or begin, and the open one after them.
  private mutating func bundles(_ entries: [[UInt8]]) throws(LogFailure) -> [StoredFile] {
    var files: [StoredFile] = []
    var index = size / 256
    func file() throws(LogFailure) -> StoredFile {
      guard let path = TilePath(.entries, index: index, width: openBundle.count) else {
        throw .damaged(path: "tile/entries", reason: "the log is full")
      }
      do { return StoredFile(path: path.description, bytes: try EntryBundle(openBundle).bytes) } catch {
        throw .damaged(path: path.description, reason: error.description)
      }
    }
    for entry in entries {
      openBundle.append(entry)
      guard openBundle.count == TilePath.widthMax else { continue }
      files.append(try file())
      openBundle = []
      index += 1
    }
    if !openBundle.isEmpty { files.append(try file()) }
    return files
  }

  private static func sign(
    _ signer: NoteSigner, size: UInt64, root: MerkleHash
  ) throws(LogFailure) -> SignedCheckpoint {
    do throws(CheckpointRejection) {
      let checkpoint = try Checkpoint(origin: signer.verifierKey.name, size: size, root: root)
      return try SignedCheckpoint(checkpoint, signatures: [signer.sign(checkpoint)])
    } catch { throw .checkpoint(error) }
  }
}

extension LogFailure {
  /// Runs `body`, whose failures are the storage's.
  static func storing<T>(_ body: () throws(StorageFailure) -> T) throws(LogFailure) -> T {
    do { return try body() } catch { throw .storage(error) }
  }
}
