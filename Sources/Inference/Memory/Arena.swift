#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// One zeroed block of memory, page-aligned, that is handed out in pieces and freed as a whole.
///
/// Large pages are asked for: weights are read once per step, and small pages cost bandwidth.
final class Arena: @unchecked Sendable {
  // Sendable because the arena itself is only an address; who writes where is its user's matter.
  let base: UnsafeMutableRawPointer
  let byteCount: Int

  /// - Throws: ``EngineFailure/memoryNotAvailable(bytes:)``.
  init(byteCount: Int) throws(EngineFailure) {
    self.byteCount = max(byteCount, 1)
    #if os(Linux)
      let flags = Int32(MAP_PRIVATE) | Int32(MAP_ANONYMOUS)
    #else
      let flags = MAP_PRIVATE | MAP_ANON
    #endif
    guard let memory = mmap(nil, self.byteCount, PROT_READ | PROT_WRITE, flags, -1, 0), memory != MAP_FAILED else {
      throw .memoryNotAvailable(bytes: byteCount)
    }
    #if os(Linux)
      madvise(memory, self.byteCount, Int32(MADV_HUGEPAGE))
    #endif
    base = memory
  }

  deinit { munmap(base, byteCount) }
}

/// Adds up sizes first, then gives out the addresses: every piece starts at a multiple of 64.
struct ArenaLayout {
  private(set) var byteCount = 0

  /// - Returns: the offset of a piece of that many elements.
  mutating func reserve<Element>(_ count: Int, of: Element.Type) -> Int {
    let offset = byteCount
    byteCount += (count * MemoryLayout<Element>.stride + 63) & ~63
    return offset
  }
}

extension Arena {
  func pointer<Element>(at offset: Int, to: Element.Type) -> UnsafeMutablePointer<Element> {
    (base + offset).assumingMemoryBound(to: Element.self)
  }
}
