import Foundation
import Testing
import Transparency
import TransparencyLog

@Suite struct LeafIndexTests {
  private func entries(_ range: Range<Int>) -> [[UInt8]] { range.map { Array("entry \($0)".utf8) } }

  /// What every index must do.
  private func check(_ index: some LeafIndex) throws {
    let leaves = entries(0..<1000).map { MerkleHash.leaf($0) }
    #expect(try index.state() == .empty && index.candidates(for: [leaves[0]]) == [[]])
    let half = LeafIndexState(size: 600, root: leaves[1])
    try index.add(Array(leaves[..<600]), covering: half)
    #expect(try index.state() == half)
    try index.add(Array(leaves[600...]) + [leaves[3]], covering: LeafIndexState(size: 1001, root: leaves[2]))
    #expect(try index.candidates(for: leaves).enumerated().allSatisfy { $1.first == UInt64($0) })
    // Two places of one prefix, in order.
    #expect(try index.candidates(for: [leaves[3], .emptyRoot]) == [[3, 1000], []])
    try index.removeAll()
    #expect(try index.state() == .empty && index.candidates(for: [leaves[0]]) == [[]])
  }

  @Test func bothKindsConform() throws {
    let folder = TemporaryFolder()
    let storage = try POSIXStorage(root: folder.path)
    try check(MemoryLeafIndex())
    try check(SQLiteLeafIndex(path: storage.indexPath))
  }

  /// Missing, behind, ahead, of another log, and no database at all: each time the tiles decide.
  @Test func theTilesDecide() throws {
    let folder = TemporaryFolder()
    let storage = try POSIXStorage(root: folder.path)
    let path = storage.indexPath
    let root = try {
      var sequencer = try Audit.open(storage, index: SQLiteLeafIndex(path: path))
      for start in stride(from: 0, to: 3000, by: 500) { _ = try sequencer.append(entries(start..<(start + 500))) }
      return sequencer.latest.checkpoint.root
    }()
    let whole = try SQLiteLeafIndex(path: path).state()
    #expect(whole == LeafIndexState(size: 3000, root: root))

    func expectFound(_ index: any LeafIndex, _ comment: Comment) throws {
      var opened = try Audit.open(storage, index: index)
      #expect(try index.state() == whole, comment)
      let placed = try opened.append(entries(0..<3000))
      #expect(placed.enumerated().allSatisfy { $1.index == UInt64($0) && $1.isDuplicate }, comment)
    }
    try expectFound(MemoryLeafIndex(), "missing")
    let behind = MemoryLeafIndex()
    let leaves = entries(0..<700).map { MerkleHash.leaf($0) }
    var range = CompactRange()
    for leaf in leaves { range.append(leaf) }
    try behind.add(leaves, covering: LeafIndexState(size: 700, root: range.root))
    try expectFound(behind, "behind")
    for (size, root) in [(700, MerkleHash.emptyRoot), (3000, range.root), (5000, range.root)] {
      let wrong = MemoryLeafIndex()
      try wrong.add(leaves.reversed(), covering: LeafIndexState(size: UInt64(size), root: root))
      try expectFound(wrong, "of another tree of \(size)")
    }
    for damage in [Data(), Data("no database, whatever it is called".utf8), Data(repeating: 0, count: 9000)] {
      try damage.write(to: URL(filePath: path))
      try expectFound(SQLiteLeafIndex(path: path), "damaged file of \(damage.count) bytes")
    }
  }

  /// Damage that is met only later ends nothing: the log opens itself again, as after any failure.
  @Test func damageInTheMiddleIsMetAndMended() throws {
    let folder = TemporaryFolder()
    let storage = try POSIXStorage(root: folder.path)
    let path = storage.indexPath
    do {
      var sequencer = try Audit.open(storage, index: SQLiteLeafIndex(path: path))
      _ = try sequencer.append(entries(0..<3000))
    }
    // Its first page, with the schema, and the one of the state stay.
    var file = try Data(contentsOf: URL(filePath: path))
    let pages = file.count / 4096
    try #require(pages > 10)
    for page in 5..<pages {
      file.replaceSubrange((page * 4096)..<(page * 4096 + 64), with: Data(repeating: 0xFF, count: 64))
    }
    try file.write(to: URL(filePath: path))
    let index = try SQLiteLeafIndex(path: path)
    var sequencer = try Audit.open(storage, index: index)
    #expect(throws: LogFailure.self) { try sequencer.append(entries(0..<3000)) }
    sequencer = try Audit.open(storage, index: index)
    let placed = try sequencer.append(entries(0..<3001))
    #expect(placed.enumerated().allSatisfy { $1.index == UInt64($0) && $1.isDuplicate == ($0 < 3000) })
  }

  /// A place that the index names wrongly is no duplicate.
  @Test func whatTheIndexNamesIsComparedWithTheTile() throws {
    let storage = MemoryStorage()
    let index = MemoryLeafIndex()
    var sequencer = try Audit.open(storage, index: index)
    _ = try sequencer.append(entries(0..<10))
    let state = try index.state()
    try index.removeAll()
    try index.add(entries(5..<15).map { .leaf($0) }, covering: state)
    #expect(try sequencer.index(of: .leaf(Array("entry 12".utf8))) == nil)
    let placed = try sequencer.append(entries(12..<13))
    #expect(placed.map(\.index) == [10] && !placed[0].isDuplicate)
  }
}
