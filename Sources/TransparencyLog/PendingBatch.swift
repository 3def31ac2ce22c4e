import Transparency

/// The entries that are about to be written, so that after a death the same ones are.
package struct PendingBatch: Equatable {
  package static let path = ".pending"
  /// Well within what a storage reads.
  static let bytesMax = 16 << 20
  /// The size comes first.
  package static let fileBytesMax = 8 + bytesMax

  /// The size of the log before them.
  package let size: UInt64
  package let entries: [[UInt8]]

  init(size: UInt64, entries: [[UInt8]]) {
    self.size = size
    self.entries = entries
  }

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
    return try read.map { (bytes) throws(LogFailure) in try PendingBatch(parsing: bytes) }
  }

  package init(parsing bytes: [UInt8]) throws(LogFailure) {
    let damaged = LogFailure.damaged(path: PendingBatch.path, reason: "it is not a batch of entries")
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
    self.init(size: bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }, entries: entries)
  }
}
