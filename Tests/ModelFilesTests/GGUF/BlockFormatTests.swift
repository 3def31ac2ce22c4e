import ModelFiles
import Testing

/// Random blocks, with extreme scales among them, against PyPI's `gguf.quants` (Reference/gguf/make_gguf.py).
@Suite struct BlockFormatTests {
  private static let tensors = try! GGUFFile(path: Fixtures.path("gguf/blocks.gguf")).tensors()

  private func tensor(_ name: String) throws -> SourceTensor {
    try #require(BlockFormatTests.tensors.first { $0.name == name })
  }

  private func row(_ tensor: SourceTensor, _ r: Int) -> [Float] {
    var values = [Float](repeating: 0, count: tensor.columns)
    values.withUnsafeMutableBufferPointer { tensor.readRow(r, into: $0) }
    return values
  }

  @Test(arguments: BlockFormat.allCases)
  func everyBit(_ format: BlockFormat) throws {
    let (stored, expected) = (try tensor(format.rawValue), try tensor(format.rawValue + ".values"))
    #expect(stored.format == format.rawValue && stored.shape == expected.shape && stored.elements == 4096)
    #expect(stored.byteCount == 4096 / format.blockElements * format.blockBytes)
    for r in 0..<stored.rowCount {
      #expect(row(stored, r).map(\.bitPattern) == row(expected, r).map(\.bitPattern), "row \(r)")
    }
  }

  /// w = scale · q - minimum with the block's own integers; rounded to binary32 it is what ggml computes.
  @Test(arguments: BlockFormat.allCases)
  func groupsAreExact(_ format: BlockFormat) throws {
    let stored = try tensor(format.rawValue)
    #expect(stored.groupFormat == format)
    let size = format.groupElements
    var quants = [UInt8](repeating: 0, count: stored.columns)
    var scales = [Double](repeating: 0, count: stored.columns / size)
    var minimums = scales
    for r in 0..<stored.rowCount {
      quants.withUnsafeMutableBufferPointer { quants in
        scales.withUnsafeMutableBufferPointer { scales in
          minimums.withUnsafeMutableBufferPointer { minimums in
            stored.readGroups(row: r, quants: quants, scales: scales, minimums: minimums)
          }
        }
      }
      #expect(quants.allSatisfy { Int($0) < 1 << format.bits })
      for (i, value) in row(stored, r).enumerated() {
        let exact = scales[i / size] * Double(quants[i]) - minimums[i / size]
        // ggml rounds the product of Q5_K's or Q6_K's scale once more before it subtracts.
        #expect(abs(Double(value) - exact) <= 0x1p-23 * (abs(scales[i / size]) * 256 + abs(minimums[i / size])))
      }
    }
  }

  @Test func floatsHaveNoGroups() throws {
    #expect(try tensor("Q4_0.values").groupFormat == nil)
    #expect(try tensor("Q4_0").adding(-1).groupFormat == nil)
  }

  @Test func viewsOfBlocks() throws {
    let stored = try tensor("Q5_K")
    let order = (0..<stored.rowCount).map { ($0 * 5 + 3) % stored.rowCount }
    let view = stored.permutedRows(order).rows(2..<9).named("other")
    #expect(view.name == "other" && view.shape == [7, 256] && view.groupFormat == .q5K)
    for r in 0..<7 { #expect(row(view, r) == row(stored, order[r + 2])) }
    let cube = stored.reshaped([4, 2, 2, 256]).slice(3).slice(1)
    #expect(cube.shape == [2, 256] && row(cube, 1) == row(stored, 15))
    #expect(row(stored.adding(2), 3) == row(stored, 3).map { $0 + 2 })
  }
}
