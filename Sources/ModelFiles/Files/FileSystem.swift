#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The few system calls that files need here, with failures that name the path.
package enum FileSystem {
  package enum Kind: Equatable { case file, directory, other }

  /// What lies at `path`, links followed; nil when there is nothing.
  package static func kind(of path: String) throws(FileFailure) -> Kind? {
    var info = stat()
    guard stat(path, &info) == 0 else {
      if errno == ENOENT || errno == ENOTDIR { return nil }
      throw .last("look at", path)
    }
    return kind(info)
  }

  package static func size(of path: String) throws(FileFailure) -> Int {
    var info = stat()
    guard stat(path, &info) == 0 else { throw .last("look at", path) }
    return Int(info.st_size)
  }

  private static func kind(_ info: stat) -> Kind {
    switch info.st_mode & S_IFMT {
    case S_IFREG: .file
    case S_IFDIR: .directory
    default: .other
    }
  }

  /// Opens an existing regular file for reading; never blocks on a pipe or a device.
  ///
  /// - Returns: the descriptor, which the caller closes, and the file's size.
  package static func openForReading(_ path: String) throws(FileFailure) -> (descriptor: Int32, bytes: Int) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .last("open", path) }
    var info = stat()
    guard fstat(descriptor, &info) == 0 else {
      let failure = FileFailure.last("look at", path)
      close(descriptor)
      throw failure
    }
    guard kind(info) == .file else {
      close(descriptor)
      throw FileFailure("read", path, code: kind(info) == .directory ? EISDIR : EINVAL)
    }
    return (descriptor, Int(info.st_size))
  }

  /// The whole content of a file that must not be longer than `bytesMax`.
  ///
  /// - Throws: ``FileFailure``, or ``FileTooLarge`` before anything is read.
  package static func contents(of path: String, bytesMax: Int) throws -> [UInt8] {
    let (descriptor, size) = try openForReading(path)
    defer { close(descriptor) }
    guard size <= bytesMax else { throw FileTooLarge(path: path, bytesMax: bytesMax) }
    var failure: FileFailure?
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      while count < size {
        let n = read(descriptor, buffer.baseAddress! + count, size - count)
        if n > 0 {
          count += n
        } else if n == 0 {
          break
        } else if errno != EINTR {
          failure = .last("read", path)
          break
        }
      }
    }
    if let failure { throw failure }
    return bytes
  }

  /// Names in a folder, sorted by bytes, without `.` and `..`; empty when the folder does not exist.
  package static func names(in directory: String) throws(FileFailure) -> [String] {
    guard let stream = opendir(directory) else {
      if errno == ENOENT { return [] }
      throw .last("list", directory)
    }
    defer { closedir(stream) }
    var names: [String] = []
    errno = 0
    while let entry = readdir(stream) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { raw in
        String(validating: raw.prefix { $0 != 0 }, as: UTF8.self)
      }
      if let name, name != ".", name != ".." { names.append(name) }
      errno = 0
    }
    guard errno == 0 else { throw .last("list", directory) }
    return names.sorted(by: precedes)
  }

  /// Whether a folder holds nothing at all.
  package static func isEmpty(_ directory: String) throws(FileFailure) -> Bool {
    guard let stream = opendir(directory) else { throw .last("list", directory) }
    defer { closedir(stream) }
    var entries = 0
    // Two of them are `.` and `..`.
    while entries < 3, readdir(stream) != nil { entries += 1 }
    return entries < 3
  }

  /// Byte order, the order in which manifests sort names.
  package static func precedes(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }

  /// Creates a folder and those above it, durably; fine when it is already there.
  package static func createDirectories(_ path: String, mode: UInt32 = 0o755) throws(FileFailure) {
    if try kind(of: path) == .directory { return }
    let parent = directory(of: path)
    if parent != path { try createDirectories(parent, mode: mode) }
    if mkdir(path, mode_t(mode)) == 0 {
      try synchronizeDirectory(parent)
    } else if errno != EEXIST {
      throw .last("create the folder", path)
    } else if try kind(of: path) != .directory {
      throw FileFailure("create the folder", path, code: ENOTDIR)
    }
  }

  /// Makes renames and removals in a folder survive a power cut.
  package static func synchronizeDirectory(_ path: String) throws(FileFailure) {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_DIRECTORY)
    guard descriptor >= 0 else { throw .last("open", path) }
    defer { close(descriptor) }
    // Some file systems cannot synchronise a folder and say so with EINVAL; nothing more can be done there.
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw .last("synchronise", path) }
  }

  /// Removes a file; fine when it is already gone.
  package static func remove(_ path: String) throws(FileFailure) {
    guard unlink(path) == 0 || errno == ENOENT else { throw .last("remove", path) }
  }

  /// Processors that can work now.
  static var processors: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }

  /// Bytes of a page of memory.
  static let pageBytes = max(4096, sysconf(Int32(_SC_PAGESIZE)))

  /// The folder that holds `path`.
  package static func directory(of path: String) -> String {
    var bytes = Array(path.utf8)[...]
    while bytes.count > 1, bytes.last == UInt8(ascii: "/") { bytes.removeLast() }
    guard let slash = bytes.lastIndex(of: UInt8(ascii: "/")) else { return "." }
    return slash == 0 ? "/" : String(decoding: bytes[..<slash], as: UTF8.self)
  }

  /// The last component of `path`.
  package static func name(of path: String) -> String {
    String(decoding: path.utf8.split(separator: UInt8(ascii: "/")).last ?? [], as: UTF8.self)
  }
}
