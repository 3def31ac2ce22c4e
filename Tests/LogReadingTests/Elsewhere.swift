import LogReading
import Synchronization
import Transparency
import TransparencyLog

/// A log under the address of another one.
struct Elsewhere: LogSource {
  let place: String
  let inner: FolderSource

  func read(_ path: String, bytesMax: Int) async throws -> [UInt8]? { try await inner.read(path, bytesMax: bytesMax) }
  func partialWidths(of full: TilePath) throws(LogReadError) -> [Int]? { try inner.partialWidths(of: full) }
}

/// A storage of one file, that says where it is.
final class KeptPath: LogStorage {
  private let inner = MemoryStorage()
  private let last = Mutex<String?>(nil)
  var path: String? { last.withLock { $0 } }

  func read(_ path: String) throws(StorageFailure) -> [UInt8]? { try inner.read(path) }

  func write(_ files: [StoredFile]) throws(StorageFailure) {
    last.withLock { $0 = files.last?.path }
    try inner.write(files)
  }

  func removeFolder(_ path: String) throws(StorageFailure) { try inner.removeFolder(path) }
}
