public import Transparency

/// Gives entries their places, in batches, each durable before anyone is told of it.
///
/// A batch is written in four steps: its entries as `.pending`, then tiles and bundles, then the checkpoint
/// `.latest`, then the index. When the log is opened again after a death in between, the same entries go through the
/// same steps, so that a tile once written never changes, whoever may have seen and kept it.
///
/// Source: docs/spec/transparency.md, section 5.
public struct Sequencer<Storage: LogStorage>: Sendable {
  public let storage: Storage
  private let signer: NoteSigner
  private var appender: TileAppender
  private let places: LeafPlaces<Storage>
  // Entries of the last, partial bundle.
  private var openBundle: [[UInt8]]
  private var hasFailed = false
  /// Of all that is durable: the largest tree that this log has signed.
  public private(set) var latest: SignedCheckpoint

  /// Opens a log, or begins one if the storage is empty.
  ///
  /// - Parameter index: filled from the tiles where it is missing or behind.
  public init(storage: Storage, index: any LeafIndex, signer: NoteSigner) throws(LogFailure) {
    self.storage = storage
    self.signer = signer
    let reader = StorageTiles(storage: storage)
    places = LeafPlaces(index: index, tiles: reader)
    latest = try Sequencer.open(storage, signer)
    let checkpoint = latest.checkpoint
    do { appender = try TileAppender(size: checkpoint.size, source: reader) } catch { throw LogFailure(error) }
    guard appender.root == checkpoint.root else {
      throw .damaged(path: "tile", reason: "the tiles do not add up to the checkpoint's root")
    }
    openBundle = []
    if let path = TilePath(.entries, index: checkpoint.size / TilePath.fullWidth, in: checkpoint.size) {
      openBundle = try reader.bundle(path).entries
      let hashes = openBundle.map { MerkleHash.leaf($0) }
      guard let tile = TilePath(.hashes(level: 0), index: path.index, in: checkpoint.size),
        try reader.tile(tile).hashes == hashes
      else { throw .damaged(path: path.description, reason: "its entries are not those of the tile") }
    }
    try places.catchUp(to: checkpoint.size)
    if let pending = try PendingBatch.read(from: storage), pending.size == checkpoint.size {
      _ = try append(pending.entries)
    }
  }

  /// The number of entries that are durable.
  public var size: UInt64 { latest.checkpoint.size }

  /// Whether an entry with that hash is in the log, and where.
  public func index(of leaf: MerkleHash) throws(LogFailure) -> UInt64? { try places.find([leaf], in: size)[0] }

  /// Appends a batch. When it returns, the entries are durable and ``latest`` covers them.
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
    let hashes = entries.map { MerkleHash.leaf($0) }
    let found = try places.find(hashes, in: size)
    var sequenced: [SequencedEntry] = []
    var fresh: [[UInt8]] = []
    var leaves: [MerkleHash] = []
    var inBatch: [MerkleHash: UInt64] = [:]
    for (i, leaf) in hashes.enumerated() {
      if let first = found[i] ?? inBatch[leaf] {
        sequenced.append(SequencedEntry(index: first, isDuplicate: true))
        continue
      }
      let next = size + UInt64(fresh.count)
      inBatch[leaf] = next
      sequenced.append(SequencedEntry(index: next, isDuplicate: false))
      fresh.append(entries[i])
      leaves.append(leaf)
    }
    if !fresh.isEmpty { try write(fresh, leaves) }
    return sequenced
  }

  private mutating func write(_ entries: [[UInt8]], _ leaves: [MerkleHash]) throws(LogFailure) {
    // Until everything is durable nothing of this may be believed again.
    hasFailed = true
    let pending = PendingBatch(size: size, entries: entries).file
    let files =
      try bundles(entries) + appender.append(leaves).map { StoredFile(path: $0.path.description, bytes: $0.bytes) }
    let checkpoint = try Sequencer.sign(signer, size: appender.size, root: appender.root)
    let state = LeafIndexState(size: appender.size, root: appender.root)
    let (storage, index) = (storage, places.index)
    try LogFailure.storing { () throws(StorageFailure) in
      try storage.write([pending])
      try storage.write(files)
      try storage.write([StoredFile(path: LatestCheckpoint.path, bytes: checkpoint.bytes)])
      try index.add(leaves, covering: state)
    }
    latest = checkpoint
    hasFailed = false
  }

  /// The bundles that `entries` complete or begin, and the open one after them.
  private mutating func bundles(_ entries: [[UInt8]]) throws(LogFailure) -> [StoredFile] {
    var files: [StoredFile] = []
    var index = size / TilePath.fullWidth
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

  /// The stored checkpoint, or that of the empty log, which is stored then.
  private static func open(_ storage: Storage, _ signer: NoteSigner) throws(LogFailure) -> SignedCheckpoint {
    let read = { (path: String) throws(LogFailure) in
      try LogFailure.storing { () throws(StorageFailure) in try storage.read(path) }
    }
    guard let bytes = try read(LatestCheckpoint.path) else {
      // Going on from what was published could give one size two roots: more may have been signed.
      guard try read(PublishedCheckpoint<Storage>.path) == nil else {
        throw .damaged(path: LatestCheckpoint.path, reason: "it is missing")
      }
      let first = try sign(signer, size: 0, root: .emptyRoot)
      let file = StoredFile(path: LatestCheckpoint.path, bytes: first.bytes)
      try LogFailure.storing { () throws(StorageFailure) in try storage.write([file]) }
      return first
    }
    do throws(CheckpointRejection) {
      let stored = try SignedCheckpoint(parsing: bytes)
      _ = try stored.verified(by: [signer.verifierKey])
      return stored
    } catch { throw .checkpoint(error) }
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
