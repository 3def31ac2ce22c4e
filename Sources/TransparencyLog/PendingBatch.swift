import Transparency

/// The entries that are about to be written, so that after a death the same ones are.
struct PendingBatch: Equatable {
  static let path = ".pending"
  /// Well within what a storage reads.
  static let bytesMax = 16 << 20

  /// The size of the log before them.
  let size: UInt64
  let entries: [[UInt8]]

  /// Eight bytes of size, most significant first, then the entries as bundles hold them.
  var file: StoredFile {
    var bytes = (0..<8).map { UInt8(truncatingIfNeeded: size >> UInt64(56 - 8 * $0)) }
    for entry in entries {
      bytes += [UInt8(truncatingIfNeeded: entry.count >> 8), UInt8(truncatingIfNeeded: entry.count)]
      bytes += entry
    }
    return StoredFile(path: PendingBatch.path, bytes: bytes)
  }

  /// - Returns: nil if no batch was ever written.
  static func read(from storage: some LogStorage) throws(LogFailure) -> PendingBatch? {
    let read = try LogFailure.storing { () throws(StorageFailure) in try storage.read(path) }
    guard let bytes = read else { return nil }
    let damaged = LogFailure.damaged(path: path, reason: "it is not a batch of entries")
    guard bytes.count >= 8 else { throw damaged }
    var entries: [[UInt8]] = []
    var at = 8
    while at < bytes.count {
      guard bytes.count - at >= 2 else { throw damaged }
      let length = Int(bytes[at]) << 8 | Int(bytes[at + 1])
      guard bytes.count - at - 2 >= length else { throw damaged }
      entries.append(Array(bytes[(at + 2)..<(at + 2 + length)]))
      at += 2 + length
    }
    return PendingBatch(size: bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }, entries: entries)
  }
}
