public import Foundation

/// Files that appear whole or not at all.
public enum DurableFile {
  /// Writes beside, syncs, renames, syncs the folder.
  ///
  /// - Throws: ``POSIXError`` with the system's reason.
  public static func write(_ bytes: [UInt8], to path: String) throws(POSIXError) {
    let temporary = "\(path).\(getpid()).new"
    let fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard fd >= 0 else { throw failure() }
    var renamed = false
    defer {
      close(fd)
      if !renamed { unlink(temporary) }
    }
    var written = 0
    while written < bytes.count {
      let n = bytes.withUnsafeBytes { Foundation.write(fd, $0.baseAddress! + written, bytes.count - written) }
      guard n > 0 else { throw failure() }
      written += n
    }
    guard fsync(fd) == 0, rename(temporary, path) == 0 else { throw failure() }
    renamed = true
    let folder = open(
      (path as NSString).deletingLastPathComponent.isEmpty ? "." : (path as NSString).deletingLastPathComponent,
      O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if folder >= 0 {
      fsync(folder)
      close(folder)
    }
  }

  private static func failure() -> POSIXError { POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
}
