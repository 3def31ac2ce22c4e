#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// The disk or its permissions are in the way; nobody's bytes are at fault.
public struct FileFailure: Error, Equatable, Sendable, CustomStringConvertible {
  /// What was tried, as a verb: "open", "write".
  public let operation: String
  public let path: String
  /// The system's error number.
  public let code: Int32

  public init(_ operation: String, _ path: String, code: Int32) {
    self.operation = operation
    self.path = path
    self.code = code
  }

  /// The failure that `errno` describes right now.
  package static func last(_ operation: String, _ path: String) -> FileFailure {
    FileFailure(operation, path, code: errno)
  }

  /// Whether there is no such file.
  public var isMissing: Bool { code == ENOENT }

  static func missing(_ path: String) -> FileFailure { FileFailure("open", path, code: ENOENT) }

  public var description: String { "cannot \(operation) \(path): \(String(cString: strerror(code)))" }

  /// What the person at the keyboard can do about it.
  public var remedy: String {
    switch code {
    case ENOENT: "check the path"
    case EACCES, EPERM: "check the permissions of \(path) and of the folders above it"
    case ENOSPC, EDQUOT: "free some disk space and try again"
    case EFBIG: "raise the limit on the size of files (`ulimit -f`), or choose a disk that takes larger ones"
    case EROFS: "the disk is mounted read-only; choose another folder"
    case EMFILE, ENFILE: "too many files are open; raise the limit with `ulimit -n`"
    case EISDIR: "give a file, not a folder"
    case ENOTDIR: "give a folder, not a file"
    case ENOTEMPTY, EEXIST: "something is there already; give a name that is free, or an empty folder"
    case ENOMEM: "close other programs or use a machine with more memory"
    case EWOULDBLOCK: "another process is using it; try again when that has finished"
    default: "check the disk and try again"
    }
  }
}

/// A file is longer than anything of its kind should be.
public struct FileTooLarge: Error, Equatable, Sendable, CustomStringConvertible {
  public let path: String
  public let bytesMax: Int

  public init(path: String, bytesMax: Int) {
    self.path = path
    self.bytesMax = bytesMax
  }

  public var description: String {
    "\(path) has more than \(bytesMax) bytes, which is more than a file of that kind should have; check that it is the right file"
  }
}
