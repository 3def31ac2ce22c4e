#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Where one repository's files lie between the hub and the store: `downloads/<name>/`.
///
/// One process at a time works in it. Nothing in it is part of a model: the files are read by an import and
/// then removed.
public final class DownloadFolder {
  public let path: String
  private let lock: FileLock?

  /// The lock's file lies beside the folder so that the folder can come and go.
  private static let lockSuffix = ".lock"

  /// Opens the folder, creating it, and waits while another process works in it.
  ///
  /// - Parameter waiting: called once when there is somebody to wait for.
  /// - Throws: ``FileFailure``, `CancellationError` when the task is cancelled while it waits.
  init(path: String, waiting: () -> Void) throws {
    self.path = path
    try FileSystem.createDirectories(FileSystem.directory(of: path))
    let lockPath = path + DownloadFolder.lockSuffix
    var lock = try FileLock.attempt(lockPath, .exclusive)
    if lock == nil { waiting() }
    // Not one long wait in the system, which Ctrl-C could not end.
    while lock == nil {
      try Task.checkCancellation()
      usleep(100_000)
      lock = try FileLock.attempt(lockPath, .exclusive)
    }
    self.lock = lock
    try FileSystem.createDirectories(path)
    // What a killed process was about to give a name. Nobody else is here now.
    for name in try FileSystem.tree(path)
    where FileSystem.name(of: name).utf8.starts(with: TemporaryFile.prefix.utf8) {
      try FileSystem.remove(path + "/" + name)
    }
  }

  /// The place of a file; `name` has been checked to stay inside.
  public func path(of name: String) -> String { path + "/" + name }

  /// Removes complete files that are not among `names`, so that an import does not read what was not chosen.
  public func removeFiles(except names: Set<String>) throws(FileFailure) {
    for name in try FileSystem.tree(path)
    where !names.contains(name) && !name.utf8.hasSuffix(".part") && !name.utf8.hasSuffix(".part.json") {
      try FileSystem.remove(path + "/" + name)
    }
  }

  /// Removes complete files; what is left of other downloads stays.
  public func remove(_ names: some Sequence<String>) throws(FileFailure) {
    for name in names { try FileSystem.remove(path + "/" + name) }
    if try FileSystem.tree(path).isEmpty { FileSystem.removeTree(path) }
  }

  /// Bytes that can still be written to the disk that the folder is on; nil when the system does not say.
  public var bytesFree: Int? {
    var info = statvfs()
    guard statvfs(path, &info) == 0 else { return nil }
    let (bytes, overflow) = UInt64(info.f_bavail).multipliedReportingOverflow(by: UInt64(info.f_frsize))
    return overflow ? nil : Int(clamping: bytes)
  }
}

extension ModelStore {
  var downloads: String { root + "/downloads" }

  /// - Parameter name: a safe file name for what is downloaded.
  public func openDownloads(_ name: String, waiting: () -> Void) throws -> DownloadFolder {
    precondition(!name.isEmpty && !name.utf8.contains(UInt8(ascii: "/")) && name.utf8.first != UInt8(ascii: "."))
    return try DownloadFolder(path: downloads + "/" + name, waiting: waiting)
  }

  /// Removes all downloads that no process works on.
  ///
  /// - Returns: how many bytes that gave back.
  public func removeDownloads() throws(FileFailure) -> Int {
    var bytes = 0
    for name in try FileSystem.names(in: downloads) where !name.utf8.hasSuffix(".lock") {
      let folder = downloads + "/" + name
      guard let lock = try FileLock.attempt(folder + ".lock", .exclusive) else { continue }
      defer { withExtendedLifetime(lock) {} }
      // Links lead to files that are somebody else's.
      for file in try FileSystem.tree(folder) { bytes += FileSystem.ownSize(of: folder + "/" + file) }
      FileSystem.removeTree(folder)
    }
    return bytes
  }
}

extension FileSystem {
  /// Paths of everything below a folder that is not a folder itself, links not followed.
  static func tree(_ folder: String, depthMax: Int = 8) throws(FileFailure) -> [String] {
    guard depthMax > 0 else { return [] }
    var paths: [String] = []
    for name in try names(in: folder) {
      if isOwnDirectory(folder + "/" + name) {
        for path in try tree(folder + "/" + name, depthMax: depthMax - 1) { paths.append(name + "/" + path) }
      } else {
        paths.append(name)
      }
    }
    return paths
  }

  /// Removes a folder with all that is in it, as far as possible, links not followed.
  static func removeTree(_ folder: String) {
    for name in (try? names(in: folder)) ?? [] {
      let path = folder + "/" + name
      if isOwnDirectory(path) { removeTree(path) } else { unlink(path) }
    }
    rmdir(folder)
  }

  private static func isOwnDirectory(_ path: String) -> Bool {
    var info = stat()
    return lstat(path, &info) == 0 && info.st_mode & S_IFMT == S_IFDIR
  }

  /// What a file itself takes on the disk; a link takes nothing.
  static func ownSize(of path: String) -> Int {
    var info = stat()
    guard lstat(path, &info) == 0, info.st_mode & S_IFMT == S_IFREG else { return 0 }
    return Int(info.st_blocks) * 512
  }
}
