import Synchronization
public import Transparency

/// An index that ends with the process: 16 bytes and more for each entry.
public final class MemoryLeafIndex: LeafIndex {
  private struct Content {
    var state = LeafIndexState.empty
    var places: [Int64: [UInt64]] = [:]
  }
  private let content = Mutex(Content())

  public init() {}

  public func state() throws(StorageFailure) -> LeafIndexState { content.withLock { $0.state } }

  public func candidates(for leaves: [MerkleHash]) throws(StorageFailure) -> [[UInt64]] {
    content.withLock { content in leaves.map { content.places[$0.prefix] ?? [] } }
  }

  public func add(_ leaves: [MerkleHash], covering state: LeafIndexState) throws(StorageFailure) {
    content.withLock { content in
      for (i, leaf) in leaves.enumerated() {
        content.places[leaf.prefix, default: []].append(content.state.size + UInt64(i))
      }
      content.state = state
    }
  }

  public func removeAll() throws(StorageFailure) { content.withLock { $0 = Content() } }
}
