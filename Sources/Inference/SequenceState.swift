import Synchronization

/// The keys and values of one sequence: what the engine needs to continue it.
///
/// One evaluation at a time may use it. Its pages may be shared with other sequences of equal beginning.
public final class SequenceState: @unchecked Sendable {
  // Sendable because `pages` and `table` change only between `acquire` and `release`.
  private let pool: PagePool
  private let contextLength: Int
  private let counter = Atomic<Int>(0)
  private let inUse = Atomic<Bool>(false)
  private var pages: [Page] = []
  private var table: UnsafeMutablePointer<UnsafePointer<UInt8>?>
  private var tableCapacity: Int

  init(pool: PagePool, contextLength: Int) {
    self.pool = pool
    self.contextLength = contextLength
    tableCapacity = 16
    table = .allocate(capacity: tableCapacity)
  }

  deinit { table.deallocate() }

  /// Positions evaluated so far.
  public var count: Int { counter.load(ordering: .acquiring) }

  /// Forgets all positions from `count` on.
  public func truncate(to count: Int) {
    acquire()
    defer { release() }
    precondition(count >= 0 && count <= self.count, "only evaluated positions can be forgotten")
    let kept = SequenceState.pages(for: count)
    pages.removeLast(pages.count - kept)
    counter.store(count, ordering: .releasing)
  }

  /// A sequence that begins with this one's first `count` positions. Whole pages are shared until one of the
  /// two writes to them.
  ///
  /// - Throws: ``EngineFailure/memoryNotAvailable(bytes:)``.
  public func fork(at count: Int) throws(EngineFailure) -> SequenceState {
    acquire()
    defer { release() }
    precondition(count >= 0 && count <= self.count, "only evaluated positions can be shared")
    let other = SequenceState(pool: pool, contextLength: contextLength)
    let (whole, rest) = count.quotientAndRemainder(dividingBy: PageLayout.positions)
    for page in pages[..<whole] { other.append(page) }
    if rest > 0 {
      other.append(try SequenceState.copy(of: pages[whole], pool))
    }
    other.counter.store(count, ordering: .releasing)
    return other
  }

  private static func copy(of page: Page, _ pool: PagePool) throws(EngineFailure) -> Page {
    let copy = try pool.take()
    copy.memory.base.copyMemory(from: page.memory.base, byteCount: pool.layout.byteCount)
    return copy
  }

  /// Goes on after a whole page that another sequence of equal beginning has computed.
  func append(shared page: Page) {
    acquire()
    defer { release() }
    precondition(count % PageLayout.positions == 0, "pages are shared whole")
    pages.removeLast(pages.count - count / PageLayout.positions)
    append(page)
    counter.wrappingAdd(PageLayout.positions, ordering: .acquiringAndReleasing)
  }

  /// Puts a page of equal content in the place of a whole one.
  func share(_ page: Page, at index: Int) {
    acquire()
    defer { release() }
    precondition(index < count / PageLayout.positions, "pages are shared whole")
    pages[index] = page
    table[index] = page.address
  }

  func page(at index: Int) -> Page { pages[index] }

  /// Pages that so many positions need.
  static func pages(for positions: Int) -> Int {
    (positions + PageLayout.positions - 1) / PageLayout.positions
  }

  // MARK: For the engine

  var room: Int { contextLength - count }

  func belongs(to pool: PagePool) -> Bool { self.pool === pool }

  func acquire() {
    let free = inUse.compareExchange(expected: false, desired: true, ordering: .acquiringAndReleasing).exchanged
    precondition(free, "a sequence is used by one evaluation at a time, and once in a batch")
  }

  func release() { inUse.store(false, ordering: .releasing) }

  /// Makes room for `positions` in all. Between `acquire` and `release`.
  ///
  /// - Returns: the page table, valid until the next call.
  func reserve(positions: Int) throws(EngineFailure) -> UnsafePointer<UnsafePointer<UInt8>?> {
    let (first, slot) = count.quotientAndRemainder(dividingBy: PageLayout.positions)
    // A page that another sequence reads is not written to: both begin alike, and go on differently.
    if slot > 0 && !isKnownUniquelyReferenced(&pages[first]) {
      let copy = try SequenceState.copy(of: pages[first], pool)
      pages[first] = copy
      table[first] = copy.address
    }
    while pages.count < SequenceState.pages(for: positions) { append(try pool.take()) }
    return UnsafePointer(table)
  }

  /// Records that `count` more positions have been evaluated. Between `acquire` and `release`.
  func advance(by count: Int) { counter.wrappingAdd(count, ordering: .acquiringAndReleasing) }

  private func append(_ page: Page) {
    if pages.count == tableCapacity {
      let larger = UnsafeMutablePointer<UnsafePointer<UInt8>?>.allocate(capacity: 2 * tableCapacity)
      larger.update(from: table, count: pages.count)
      table.deallocate()
      (table, tableCapacity) = (larger, 2 * tableCapacity)
    }
    table[pages.count] = page.address
    pages.append(page)
  }
}
