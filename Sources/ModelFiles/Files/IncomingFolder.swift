import Digests

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A folder of files that becomes visible under its name only when it is complete and on disk.
///
/// Until then it lies beside that name, locked by this process, and goes away with the object. What a
/// process that died has left is removed by the next one that works there. Subfolders are not for it.
package final class IncomingFolder {
  static let prefix = ".evident-incoming-"
  /// A leftover younger than this may belong to a process that has not locked it yet.
  static let leftoverSecondsMin = 3600

  /// Where to put the files.
  package let path: String
  private let target: String
  private let parent: String
  private let lock: FileLock
  private var published = false

  /// - Parameter target: the name to be; nothing may be there but an empty folder.
  /// - Throws: ``FileFailure``, with `ENOTEMPTY` when something is there.
  package init(for target: String) throws(FileFailure) {
    var trimmed = target[...]
    while trimmed.utf8.count > 1, trimmed.utf8.last == UInt8(ascii: "/") { trimmed.removeLast() }
    self.target = String(trimmed)
    parent = FileSystem.directory(of: self.target)
    guard !["", ".", "..", "/"].contains(FileSystem.name(of: self.target)) else {
      throw FileFailure("create the folder", target, code: EINVAL)
    }
    switch try FileSystem.kind(of: self.target) {
    case nil: break
    case .directory:
      guard try FileSystem.isEmpty(self.target) else { throw FileFailure("write to", target, code: ENOTEMPTY) }
    case .file, .other: throw FileFailure("write to", target, code: EEXIST)
    }
    try FileSystem.createDirectories(parent)
    IncomingFolder.sweep(parent)
    path = parent + "/" + IncomingFolder.prefix + Hex.string(UInt64.random(in: 0 ... .max).bigEndianBytes)
    guard mkdir(path, 0o755) == 0 else { throw .last("create the folder", path) }
    do throws(FileFailure) { lock = try FileLock(path, .shared) } catch {
      rmdir(path)
      throw error
    }
  }

  /// Gives the folder its name. The files in it are on disk already.
  ///
  /// - Throws: ``FileFailure``, with `ENOTEMPTY` when something has come there meanwhile.
  package func publish() throws(FileFailure) {
    try FileSystem.synchronizeDirectory(path)
    // Replaces an empty folder, and nothing else.
    #if canImport(Glibc)
      let result = Glibc.rename(path, target)
    #elseif canImport(Musl)
      let result = Musl.rename(path, target)
    #else
      let result = Darwin.rename(path, target)
    #endif
    guard result == 0 else { throw .last("write to", target) }
    published = true
    try FileSystem.synchronizeDirectory(parent)
  }

  deinit {
    if !published { IncomingFolder.removeFolder(path) }
  }

  private static func removeFolder(_ path: String) {
    for name in (try? FileSystem.names(in: path)) ?? [] { unlink("\(path)/\(name)") }
    rmdir(path)
  }

  /// Removes folders and files that died here, as far as possible.
  static func sweep(_ parent: String) {
    for name in (try? FileSystem.names(in: parent)) ?? [] where name.utf8.starts(with: prefix.utf8) {
      let path = "\(parent)/\(name)"
      var info = stat()
      guard lstat(path, &info) == 0, [S_IFDIR, S_IFREG].contains(info.st_mode & S_IFMT),
        time(nil) - info.st_mtim.tv_sec > leftoverSecondsMin, !FileLock.isHeld(path)
      else { continue }
      if info.st_mode & S_IFMT == S_IFDIR { removeFolder(path) } else { unlink(path) }
    }
  }
}
