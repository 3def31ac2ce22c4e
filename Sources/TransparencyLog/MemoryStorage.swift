import Synchronization

/// A storage that ends with the process.
public final class MemoryStorage: LogStorage {
  private let files = Mutex<[String: [UInt8]]>([:])

  public init() {}

  public func read(_ path: String) throws(StorageFailure) -> [UInt8]? { files.withLock { $0[path] } }

  public func write(_ files: [StoredFile]) throws(StorageFailure) {
    self.files.withLock { stored in
      for file in files { stored[file.path] = file.bytes }
    }
  }

  public func removeFolder(_ path: String) throws(StorageFailure) {
    files.withLock { stored in
      for file in stored.keys where file.hasPrefix(path + "/") { stored[file] = nil }
    }
  }
}
