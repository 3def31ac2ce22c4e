public import Transparency

/// Where entries may be, by their leaf hashes, so that an entry that comes twice is found.
///
/// It holds nothing that the tiles do not, and is believed in nothing: a place that it names is compared with the
/// tile there, and when it does not fit the log it is emptied and filled again from the tiles.
public protocol LeafIndex: Sendable {
  /// How much of which log it covers.
  func state() throws(StorageFailure) -> LeafIndexState

  /// - Returns: for each leaf the places where it may be, in order.
  func candidates(for leaves: [MerkleHash]) throws(StorageFailure) -> [[UInt64]]

  /// Adds the leaves that follow those it has, all of them or none.
  func add(_ leaves: [MerkleHash], covering state: LeafIndexState) throws(StorageFailure)

  func removeAll() throws(StorageFailure)
}

/// The tree whose leaves an index has.
public struct LeafIndexState: Equatable, Sendable {
  public let size: UInt64
  public let root: MerkleHash
  public static let empty = LeafIndexState(size: 0, root: .emptyRoot)

  public init(size: UInt64, root: MerkleHash) {
    self.size = size
    self.root = root
  }
}

extension MerkleHash {
  /// The first 8 bytes: enough to find a leaf by, not to know it.
  var prefix: Int64 { Int64(bitPattern: bytes.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }) }
}
