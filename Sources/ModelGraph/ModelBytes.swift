/// Bytes that outlive their readers: a file mapping, an array, or data linked into the binary.
///
/// The base address is a multiple of 64, so that every tensor offset keeps its alignment.
public struct ModelBytes: @unchecked Sendable {
  // Sendable because the bytes are never written after this value exists; `owner` keeps them alive.
  private let owner: AnyObject?
  public let buffer: UnsafeRawBufferPointer

  /// - Parameters:
  ///   - buffer: immutable for the lifetime of `owner` (or of the process when nil), 64-byte aligned.
  ///   - owner: whatever frees or unmaps the memory when it goes away.
  public init(buffer: UnsafeRawBufferPointer, owner: AnyObject?) {
    precondition(UInt(bitPattern: buffer.baseAddress) % 64 == 0, "model bytes must be 64-byte aligned")
    self.buffer = buffer
    self.owner = owner
  }

  /// A copy of `bytes` in aligned memory.
  public init(copying bytes: [UInt8]) {
    let memory = AlignedMemory(byteCount: max(bytes.count, 1))
    bytes.withUnsafeBytes { UnsafeMutableRawBufferPointer(memory.buffer).copyMemory(from: $0) }
    self.init(
      buffer: UnsafeRawBufferPointer(rebasing: UnsafeRawBufferPointer(memory.buffer)[..<bytes.count]), owner: memory)
  }

  public var count: Int { buffer.count }

  /// A part that shares ownership; nil when it does not lie within, or does not start at a multiple of 64.
  public func slice(offset: Int, count: Int) -> ModelBytes? {
    guard offset >= 0, count >= 0, offset % 64 == 0, offset <= self.count, count <= self.count - offset else {
      return nil
    }
    return ModelBytes(buffer: UnsafeRawBufferPointer(rebasing: buffer[offset..<(offset + count)]), owner: owner)
  }

  /// Says that these bytes will hardly be read again: their owner may let them leave memory for now.
  ///
  /// - Parameter part: a part of ``buffer``.
  public func release(_ part: UnsafeRawBufferPointer) { (owner as? any ReleasableBytes)?.release(part) }

  public var array: [UInt8] { withExtendedLifetime(owner) { Array(buffer) } }
}

/// An owner that can bring bytes back after they have left memory, as a file can.
public protocol ReleasableBytes: AnyObject {
  /// - Parameter part: a part of what it owns; reading it stays possible.
  func release(_ part: UnsafeRawBufferPointer)
}

/// Zeroed memory at a 64-byte boundary.
private final class AlignedMemory: Sendable {
  nonisolated(unsafe) let buffer: UnsafeMutableRawBufferPointer
  init(byteCount: Int) {
    buffer = .allocate(byteCount: byteCount, alignment: 64)
    buffer.initializeMemory(as: UInt8.self, repeating: 0)
  }
  deinit { buffer.deallocate() }
}
