#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

import Synchronization

// A method below has the name of this.
private let systemRead = read

/// A folder of plain files that any web server can serve.
///
/// A file is written beside its place, synchronised, renamed into it, and its folder synchronised. What a killed
/// process leaves is a file called `.new-…` that the next write of the same place replaces.
public final class POSIXStorage: LogStorage {
  public let root: String
  private let calls: SystemCalls
  // Held while this lives: a second process would make two histories.
  private let lock: CInt
  /// More than the largest bundle, 256 entries of 65,535 bytes.
  private static let fileBytesMax = 32 << 20
  /// Folders that are known to be durable in the ones above. One that is found there need not be: who made it may
  /// have been killed, or told that it failed.
  private let durableFolders = Mutex<Set<String>>([])
  private static let durableFoldersMax = 4096

  /// Opens a folder, which is made if it does not exist, for this process alone.
  public convenience init(root: String) throws(StorageFailure) { try self.init(root: root, calls: .system) }

  package init(root: String, calls: SystemCalls) throws(StorageFailure) {
    self.root = root
    self.calls = calls
    if try POSIXStorage.makeFolder(root) { try POSIXStorage.synchronise(POSIXStorage.folder(above: root), calls) }
    let path = root + "/.lock"
    lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
    guard lock >= 0 else { throw POSIXStorage.failure("open", path) }
    guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
      close(lock)
      throw StorageFailure(action: "open", path: root, reason: "another process has it open", isInUse: true)
    }
  }

  deinit {
    // Closing is not enough while a process that is just being started has a copy of the descriptor.
    flock(lock, LOCK_UN)
    close(lock)
  }

  /// Where an index of this log belongs.
  public var indexPath: String { root + "/.index.sqlite" }

  public func read(_ path: String) throws(StorageFailure) -> [UInt8]? {
    let full = root + "/" + path
    let descriptor = open(full, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else {
      guard errno == ENOENT else { throw POSIXStorage.failure("open", full) }
      return nil
    }
    defer { close(descriptor) }
    var out: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = POSIXStorage.retrying { systemRead(descriptor, &buffer, buffer.count) }
      guard count >= 0 else { throw POSIXStorage.failure("read", full) }
      if count == 0 { return out }
      out.append(contentsOf: buffer[..<count])
      guard out.count <= POSIXStorage.fileBytesMax else {
        throw StorageFailure(action: "read", path: full, reason: "it is larger than any file of a log")
      }
    }
  }

  public func write(_ files: [StoredFile]) throws(StorageFailure) {
    var folders: Set<String> = []
    for file in files {
      let full = root + "/" + file.path
      let folder = String(full[..<(full.lastIndex(of: "/") ?? full.startIndex)])
      try makeFolders(below: root, of: file.path)
      let temporary = folder + "/.new-" + full[full.index(full.startIndex, offsetBy: folder.count + 1)...]
      try writeDurably(file.bytes, to: temporary)
      guard calls.rename(temporary, full) == 0 else { throw POSIXStorage.failure("rename", full) }
      folders.insert(folder)
    }
    for folder in folders { try POSIXStorage.synchronise(folder, calls) }
  }

  public func removeFolder(_ path: String) throws(StorageFailure) {
    let full = root + "/" + path
    guard let directory = opendir(full) else {
      guard errno == ENOENT else { throw POSIXStorage.failure("open", full) }
      return
    }
    var names: [String] = []
    while let entry = readdir(directory) {
      names.append(
        withUnsafePointer(to: &entry.pointee.d_name) {
          $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
        })
    }
    closedir(directory)
    for name in names where name != "." && name != ".." { POSIXStorage.unlinkIfThere(full + "/" + name) }
    guard rmdir(full) == 0 || errno == ENOENT else { throw POSIXStorage.failure("remove the folder", full) }
  }

  static func unlinkIfThere(_ path: String) { unlink(path) }

  /// Makes the folders that `path` stands in, each durable in the one above before anything is in it.
  private func makeFolders(below root: String, of path: String) throws(StorageFailure) {
    var folder = root
    for part in path.split(separator: "/").dropLast() {
      folder += "/" + part
      let made = try POSIXStorage.makeFolder(folder)
      let path = folder
      if !made, durableFolders.withLock({ $0.contains(path) }) { continue }
      try POSIXStorage.synchronise(POSIXStorage.folder(above: path), calls)
      durableFolders.withLock {
        if $0.count >= POSIXStorage.durableFoldersMax { $0 = [] }
        $0.insert(path)
      }
    }
  }

  private static func folder(above path: String) -> String {
    let parent = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    return parent.isEmpty ? "/" : parent
  }

  /// - Returns: false if it was there.
  private static func makeFolder(_ path: String) throws(StorageFailure) -> Bool {
    if mkdir(path, 0o755) == 0 { return true }
    guard errno == EEXIST else { throw failure("make the folder", path) }
    return false
  }

  private func writeDurably(_ bytes: [UInt8], to path: String) throws(StorageFailure) {
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw POSIXStorage.failure("open", path) }
    defer { close(descriptor) }
    var written = 0
    while written < bytes.count {
      let count = POSIXStorage.retrying {
        bytes.withUnsafeBytes { calls.write(descriptor, $0.baseAddress! + written, bytes.count - written) }
      }
      guard count >= 0 else { throw POSIXStorage.failure("write", path) }
      written += count
    }
    guard calls.fsync(descriptor) == 0 else { throw POSIXStorage.failure("synchronise", path) }
  }

  private static func synchronise(_ folder: String, _ calls: SystemCalls) throws(StorageFailure) {
    let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("open", folder) }
    defer { close(descriptor) }
    guard calls.fsync(descriptor) == 0 else { throw failure("synchronise", folder) }
  }

  private static func retrying(_ body: () -> Int) -> Int {
    while true {
      let result = body()
      if result >= 0 || errno != EINTR { return result }
    }
  }

  private static func failure(_ action: String, _ path: String) -> StorageFailure {
    StorageFailure(action: action, path: path, reason: String(cString: strerror(errno)))
  }
}
