import Testing
import Transparency

@Suite struct TilePathTests {
  @Test(arguments: [
    ("tile/0/x001/x234/067", 0, UInt64(1_234_067), 256), ("tile/63/000", 63, 0, 256), ("tile/1/000.p/1", 1, 0, 1),
    ("tile/0/999.p/255", 0, 999, 255), ("tile/2/x001/000", 2, 1000, 256),
    ("tile/0/x036/x028/x797/x018/x963/967", 0, 36_028_797_018_963_967, 256),
  ])
  func pathsAreReadAndWritten(_ text: String, _ level: Int, _ index: UInt64, _ width: Int) throws {
    let path = try TilePath(text)
    #expect(path == TilePath(.hashes(level: level), index: index, width: width))
    #expect(path.description == text)
    let entries = text.replacing("tile/\(level)/", with: "tile/entries/")
    #expect(try TilePath(entries) == TilePath(.entries, index: index, width: width))
    #expect(try TilePath(entries).description == entries)
  }

  @Test(arguments: [
    "", "tile", "tile/", "tile/0", "tile/0/", "/tile/0/000", "tile/0/000/", "tile//000", "tile/64/000", "tile/00/000",
    "tile/01/000", "tile/-1/000", "tile/+1/000", "tile/0/0", "tile/0/00", "tile/0/0000", "tile/0/x000/000",
    "tile/0/x000/001", "tile/0/x000", "tile/0/001/000", "tile/0/x001/x000", "tile/0/1000", "tile/0/X001/000",
    "tile/0/000.p", "tile/0/000.p/", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000.p/01", "tile/0/000.p/1/2",
    "tile/0/000.p/+1", "tile/0/000.P/1", "tile/0/.p/1", "tile/0/x001.p/000", "tile/0/000 ", "tile/0/00a",
    "tile/0/x036/x028/x797/x018/x963/968", "tile/0/x999/x999/x999/x999/x999/x999/999",
    "tile/0/x001/x000/x000/x000/x000/x000/x000/000", "tile/entries", "tile/entry/000", "tile/Entries/000",
    "tile/entries/x000/000", "tile/entries/000.p/0", "tile/0/٠٠٠", "../tile/0/000", "tile/0/../000", "tile/0/000\n",
    "tile/0/000.p/1\0", String(repeating: "tile/0/000", count: 1000),
  ])
  func otherSpellingsAreRefused(_ text: String) {
    #expect(throws: TileRejection.self) { try TilePath(text) }
  }

  /// The example of the specification: 70,000 leaves.
  @Test func partialWidthsAreThoseOfTheSpecification() {
    let size: UInt64 = 70_000
    func width(_ level: Int, _ index: UInt64) -> Int? { TilePath(.hashes(level: level), index: index, in: size)?.width }
    #expect(width(0, 0) == 256 && width(0, 272) == 256 && width(0, 273) == 112 && width(0, 274) == nil)
    #expect(width(1, 0) == 256 && width(1, 1) == 17 && width(1, 2) == nil)
    #expect(width(2, 0) == 1 && width(2, 1) == nil && width(3, 0) == nil && width(63, 0) == nil)
    #expect(TilePath(.hashes(level: 1), index: 0, in: 256)?.width == 1)
    #expect(TilePath(.hashes(level: 0), index: 1, in: 256) == nil)
    #expect(TilePath(.entries, index: 273, in: size)?.description == "tile/entries/273.p/112")
    #expect(TilePath(.hashes(level: 0), index: 0, in: 0) == nil)
    #expect(TilePath(.hashes(level: 0), index: .max, in: .max) == nil)
    #expect(TilePath(.hashes(level: 64), index: 0) == nil && TilePath(.entries, index: 0, width: 0) == nil)
    #expect(TilePath(.entries, index: 0, width: 257) == nil && TilePath(.entries, index: 1 << 55) == nil)
  }
}
