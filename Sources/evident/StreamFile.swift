import Foundation

/// A stream in a file, written while it comes: what is there when it is cut can still be checked.
struct StreamFile {
  private let handle: FileHandle
  private let path: String

  /// Begins the file anew.
  init(_ path: String) throws {
    self.path = path
    let descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw StreamFile.failure(path) }
    handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
  }

  func append(_ bytes: [UInt8]) throws {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes { write(handle.fileDescriptor, $0.baseAddress! + written, $0.count - written) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw StreamFile.failure(path) }
      written += count
    }
  }

  private static func failure(_ path: String) -> CommandFailure {
    CommandFailure(
      "the stream file \(path) cannot be written: \(String(cString: strerror(errno)))",
      hint: "choose a folder that exists, that you may write to, and that has room")
  }
}
