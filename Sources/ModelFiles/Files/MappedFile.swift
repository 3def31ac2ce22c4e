public import ModelGraph

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// A file's content in memory without reading it first. Pages come from the disk when they are touched.
///
/// The mapping lives as long as this object or any ``ModelBytes`` made from it, also after the file is
/// removed or replaced. Nobody may shorten the file in place meanwhile; the model store never does.
public final class MappedFile: ReleasableBytes, @unchecked Sendable {
  // Sendable because the mapping is read-only and never changes after init.
  public let path: String
  public let buffer: UnsafeRawBufferPointer

  /// - Throws: ``FileFailure``, also when `path` is not a regular file.
  public init(path: String) throws(FileFailure) {
    let (descriptor, size) = try FileSystem.openForReading(path)
    defer { close(descriptor) }
    self.path = path
    guard size > 0 else {
      // An empty mapping is not allowed by the system.
      buffer = UnsafeRawBufferPointer(start: nil, count: 0)
      return
    }
    guard let start = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), start != MAP_FAILED else {
      throw .last("map", path)
    }
    buffer = UnsafeRawBufferPointer(start: start, count: size)
  }

  deinit {
    if let start = buffer.baseAddress { munmap(UnsafeMutableRawPointer(mutating: start), buffer.count) }
  }

  public var count: Int { buffer.count }

  /// Announces that the content is read from start to end, mostly.
  func adviseSequential() {
    guard let start = buffer.baseAddress else { return }
    _ = madvise(UnsafeMutableRawPointer(mutating: start), buffer.count, MADV_SEQUENTIAL)
  }

  /// Gives the pages of `range` back: they no longer count as this process's memory, and come from the disk
  /// again when they are touched.
  func release(_ range: Range<Int>) {
    guard let start = buffer.baseAddress, !range.isEmpty else { return }
    precondition(range.lowerBound >= 0 && range.upperBound <= buffer.count)
    let page = FileSystem.pageBytes
    let first = range.lowerBound / page * page
    _ = madvise(UnsafeMutableRawPointer(mutating: start + first), range.upperBound - first, MADV_DONTNEED)
  }

  public func release(_ part: UnsafeRawBufferPointer) {
    guard let base = buffer.baseAddress, let start = part.baseAddress else { return }
    release((start - base)..<(start - base + part.count))
  }

  /// The content, which keeps the mapping alive.
  public var bytes: ModelBytes { ModelBytes(buffer: buffer, owner: self) }
}
