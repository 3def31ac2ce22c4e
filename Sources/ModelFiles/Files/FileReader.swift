#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file read once from start to end in pieces. Memory: one piece, however large the file.
public final class FileReader {
  public let path: String
  /// The size when it was opened.
  public let bytes: Int
  private let descriptor: Int32

  /// - Throws: ``FileFailure``, also when `path` is not a regular file.
  public init(path: String) throws(FileFailure) {
    self.path = path
    (descriptor, bytes) = try FileSystem.openForReading(path)
  }

  deinit { close(descriptor) }

  /// - Throws: ``FileFailure``, and whatever `body` throws.
  public func forEachPiece(bytesMax: Int = 4 << 20, _ body: (UnsafeRawBufferPointer) throws -> Void) throws {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: bytesMax, alignment: 64)
    defer { buffer.deallocate() }
    while true {
      let n = read(descriptor, buffer.baseAddress, bytesMax)
      if n == 0 { return }
      guard n > 0 else {
        if errno == EINTR { continue }
        throw FileFailure.last("read", path)
      }
      try body(UnsafeRawBufferPointer(rebasing: buffer[..<n]))
    }
  }
}
