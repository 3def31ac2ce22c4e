#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// An advisory lock on a file, held until the object goes away or the process ends, however it ends.
final class FileLock {
  enum Mode { case shared, exclusive }

  private let descriptor: Int32

  /// Waits for the lock, creating the file when an exclusive one is asked for.
  convenience init(_ path: String, _ mode: Mode) throws(FileFailure) {
    try self.init(path, mode, waiting: true)
  }

  /// The lock, or nil when someone else holds it.
  static func attempt(_ path: String, _ mode: Mode) throws(FileFailure) -> FileLock? {
    do throws(FileFailure) { return try FileLock(path, mode, waiting: false) } catch {
      if error.code == EWOULDBLOCK { return nil }
      throw error
    }
  }

  private init(_ path: String, _ mode: Mode, waiting: Bool) throws(FileFailure) {
    let opened = open(path, (mode == .exclusive ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC, 0o644)
    guard opened >= 0 else { throw .last("open", path) }
    descriptor = opened
    let operation = (mode == .exclusive ? LOCK_EX : LOCK_SH) | (waiting ? 0 : LOCK_NB)
    // A throw from here on runs deinit, which closes.
    while flock(opened, operation) != 0 {
      guard errno == EINTR else { throw .last("lock", path) }
    }
  }

  /// Whether a living process holds a lock on the file at `path`. False when the file is gone.
  static func isHeld(_ path: String) -> Bool {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return false }
    defer { close(descriptor) }
    return flock(descriptor, LOCK_EX | LOCK_NB) != 0
  }

  // Closing releases the lock.
  deinit { close(descriptor) }
}
