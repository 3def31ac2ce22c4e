#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A small file that only its owner may read: keys.
package enum SecretFile {
  package enum Failure: Error, Equatable {
    /// What the system says.
    case system(operation: String, reason: String)
    /// Others may read it; the mode in octal.
    case exposed(mode: String)
    case tooLong(bytesMax: Int)

    fileprivate static func last(_ operation: String) -> Failure {
      .system(operation: operation, reason: String(cString: strerror(errno)))
    }
  }

  /// The content; nil when there is no such file.
  ///
  /// - Parameter followingLinks: whether `path` may be a symbolic link.
  package static func read(
    _ path: String, bytesMax: Int, followingLinks: Bool = false
  ) throws(Failure) -> [UInt8]? {
    // O_NONBLOCK: a pipe must not make us wait.
    let fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | (followingLinks ? 0 : O_NOFOLLOW))
    guard fd >= 0 else {
      if errno == ENOENT { return nil }
      throw .last("cannot open")
    }
    defer { close(fd) }
    var status = stat()
    guard fstat(fd, &status) == 0 else { throw .last("cannot look at it") }
    guard status.st_mode & S_IFMT == S_IFREG else { throw .system(operation: "cannot read", reason: "not a file") }
    guard status.st_mode & 0o077 == 0 else { throw .exposed(mode: String(status.st_mode & 0o777, radix: 8)) }
    var bytes = [UInt8](repeating: 0, count: bytesMax + 1)
    var count = 0
    while count < bytes.count {
      let n = bytes.withUnsafeMutableBytes { buffer in
        #if canImport(Glibc)
          Glibc.read(fd, buffer.baseAddress! + count, buffer.count - count)
        #elseif canImport(Musl)
          Musl.read(fd, buffer.baseAddress! + count, buffer.count - count)
        #else
          Darwin.read(fd, buffer.baseAddress! + count, buffer.count - count)
        #endif
      }
      if n == 0 { break }
      if n > 0 {
        count += n
      } else if errno != EINTR {
        throw .last("cannot read")
      }
    }
    guard count <= bytesMax else { throw .tooLong(bytesMax: bytesMax) }
    return Array(bytes[..<count])
  }

  /// Writes beside, syncs, then links into place: two processes that start at once agree on one content.
  /// A file that is already there stays.
  package static func create(_ path: String, _ content: [UInt8]) throws(Failure) {
    let folder = FileSystem.directory(of: path)
    do throws(FileFailure) { try FileSystem.createDirectories(folder, mode: 0o700) } catch {
      throw .system(operation: "cannot \(error.operation) \(error.path)", reason: String(cString: strerror(error.code)))
    }
    let temporary = "\(path).\(getpid()).new"
    unlink(temporary)
    let fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard fd >= 0 else { throw .last("cannot create") }
    defer {
      close(fd)
      unlink(temporary)
    }
    guard write(fd, content, content.count) == content.count else { throw .last("cannot write") }
    guard fsync(fd) == 0 else { throw .last("cannot sync") }
    guard link(temporary, path) == 0 || errno == EEXIST else { throw .last("cannot put in place") }
    do throws(FileFailure) { try FileSystem.synchronizeDirectory(folder) } catch {
      throw .system(operation: "cannot sync the folder", reason: String(cString: strerror(error.code)))
    }
  }
}
