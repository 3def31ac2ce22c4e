import CKernels
import ModelGraph
import Synchronization

/// What one page of a key-value cache holds: 64 positions of every layer and key-value head.
struct PageLayout: Sendable {
  static let positions = Int(EV_PAGE_POSITIONS)

  let caches: Int
  let heads: Int
  private let headBytes: Int

  init(_ image: ModelImage) {
    // An encoder needs the keys and values of one layer at a time.
    caches = image.manifest.config.isEncoder ? min(1, image.graph.caches) : image.graph.caches
    heads = image.manifest.config.keyValueHeads
    headBytes = (ev_page_bytes(Int32(image.manifest.config.headDimension)) + 63) & ~63
  }

  var byteCount: Int { caches * heads * headBytes }
  func offset(cache: Int, head: Int) -> Int { (cache * heads + head) * headBytes }
}

/// One page. Sequences that share a beginning can share it; its memory goes back to the pool with its last
/// owner.
final class Page: Sendable {
  let memory: Arena
  private let pool: PagePool

  var address: UnsafePointer<UInt8> { UnsafePointer(memory.base.assumingMemoryBound(to: UInt8.self)) }

  fileprivate init(memory: Arena, pool: PagePool) {
    self.memory = memory
    self.pool = pool
  }

  deinit { pool.giveBack(memory) }
}

/// Hands out pages and keeps some of the returned ones for reuse.
final class PagePool: Sendable {
  let layout: PageLayout
  private let state = Mutex(State())

  private struct State {
    var idle: [Arena] = []
    var inUse = 0
  }

  /// Returned memory beyond this goes back to the operating system.
  private static let idleBytesMax = 256 << 20

  init(layout: PageLayout) { self.layout = layout }

  /// A page whose content is arbitrary: kernels read only what has been stored.
  ///
  /// - Throws: ``EngineFailure/memoryNotAvailable(bytes:)``.
  func take() throws(EngineFailure) -> Page {
    let reused = state.withLock { state in
      state.inUse += 1
      return state.idle.popLast()
    }
    if let reused { return Page(memory: reused, pool: self) }
    do {
      return Page(memory: try Arena(byteCount: layout.byteCount), pool: self)
    } catch {
      state.withLock { $0.inUse -= 1 }
      throw error
    }
  }

  fileprivate func giveBack(_ memory: Arena) {
    state.withLock { state in
      state.inUse -= 1
      if (state.idle.count + 1) * layout.byteCount <= PagePool.idleBytesMax { state.idle.append(memory) }
    }
  }

  /// Bytes of the pages that sequences hold.
  var bytesInUse: Int { state.withLock { $0.inUse } * layout.byteCount }
}
