import Digests

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file that becomes visible under its name only when it is complete and on disk.
///
/// Until it is published it has a name that starts with a prefix of its own and is locked by this process; a
/// leftover that nobody locks belongs to a process that died. An unpublished file is removed with the
/// object.
package final class TemporaryFile {
  static let prefix = ".incoming-"

  let directory: String
  private(set) var path: String
  private(set) var bytesWritten = 0
  private let descriptor: Int32
  private var published = false

  package convenience init(in directory: String) throws(FileFailure) {
    try self.init(in: directory, prefix: TemporaryFile.prefix)
  }

  /// A file that is to be `target`, in a folder of anyone's. What a process that died has left there is
  /// removed, as by ``IncomingFolder``.
  package convenience init(beside target: String) throws(FileFailure) {
    let directory = FileSystem.directory(of: target)
    IncomingFolder.sweep(directory)
    try self.init(in: directory, prefix: IncomingFolder.prefix)
  }

  private init(in directory: String, prefix: String) throws(FileFailure) {
    self.directory = directory
    let name = Hex.string(UInt64.random(in: 0 ... .max).bigEndianBytes)
    path = directory + "/" + prefix + name
    let opened = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard opened >= 0 else { throw .last("create a file in", directory) }
    descriptor = opened
    // The lock lets a later process see that this one still lives. Nobody else can hold it yet.
    _ = flock(descriptor, LOCK_EX | LOCK_NB)
  }

  func write(_ bytes: UnsafeRawBufferPointer) throws(FileFailure) {
    var left = bytes[...]
    while !left.isEmpty {
      let part = UnsafeRawBufferPointer(rebasing: left.prefix(1 << 30))
      #if canImport(Glibc)
        let n = Glibc.write(descriptor, part.baseAddress, part.count)
      #elseif canImport(Musl)
        let n = Musl.write(descriptor, part.baseAddress, part.count)
      #else
        let n = Darwin.write(descriptor, part.baseAddress, part.count)
      #endif
      if n >= 0 {
        left = left.dropFirst(n)
        bytesWritten += n
      } else if errno != EINTR {
        throw .last("write", path)
      }
    }
  }

  package func write(_ bytes: [UInt8]) throws(FileFailure) {
    // `withUnsafeBytes` cannot carry a typed error out.
    var failure: FileFailure?
    bytes.withUnsafeBytes { buffer in
      do throws(FileFailure) { try write(buffer) } catch { failure = error }
    }
    if let failure { throw failure }
  }

  /// Zeros up to the next multiple of 64.
  func pad() throws(FileFailure) {
    let gap = -bytesWritten & 63
    if gap > 0 { try write([UInt8](repeating: 0, count: gap)) }
  }

  /// Waits until the content is on disk.
  func synchronize() throws(FileFailure) {
    guard fsync(descriptor) == 0 else { throw .last("synchronise", path) }
  }

  /// Gives the synchronised file its name, replacing what had it before; the caller synchronises the folder.
  func rename(to name: String) throws(FileFailure) {
    let target = directory + "/" + name
    #if canImport(Glibc)
      let result = Glibc.rename(path, target)
    #elseif canImport(Musl)
      let result = Musl.rename(path, target)
    #else
      let result = Darwin.rename(path, target)
    #endif
    guard result == 0 else { throw .last("rename a file to", target) }
    published = true
    path = target
  }

  /// On disk, named, and the name on disk too.
  package func publish(as name: String) throws(FileFailure) {
    try synchronize()
    try rename(to: name)
    try FileSystem.synchronizeDirectory(directory)
  }

  deinit {
    if !published { unlink(path) }
    close(descriptor)
  }
}
