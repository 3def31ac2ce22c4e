import Digests
import ModelFiles
import ModelGraph
import Testing

@Suite struct SourceTensorTests {
  private func file(_ tensors: [ModelDirectory.Tensor], _ format: ModelDirectory.Format) throws -> [SourceTensor] {
    let folder = TemporaryFolder()
    folder.write(ModelDirectory.safetensors(tensors, format), "t.safetensors")
    return try SafetensorsFile(directory: folder.path, name: "t.safetensors").tensors
  }

  private func row(_ tensor: SourceTensor, _ r: Int) -> [Float] {
    var values = [Float](repeating: 0, count: tensor.columns)
    values.withUnsafeMutableBufferPointer { tensor.readRow(r, into: $0) }
    return values
  }

  @Test(arguments: [ModelDirectory.Format.f32, .bf16, .f16])
  func viewsCompose(_ format: ModelDirectory.Format) throws {
    let values = (0..<24).map { Float($0) }
    let tensors = try file(
      [.init(name: "m", shape: [2, 3, 4], values: values), .init(name: "v", shape: [8], values: Array(values[..<8]))],
      format)
    let (m, v) = (tensors[0], tensors[1])
    #expect(m.rowCount == 6 && m.columns == 4 && m.elements == 24 && m.format == format.rawValue)
    #expect(m.byteCount == 24 * (format == .f32 ? 4 : 2) && v.rowCount == 1 && v.shape == [8])
    #expect(row(m, 5) == [20, 21, 22, 23])
    #expect(m.slice(1).shape == [3, 4] && row(m.slice(1), 0) == [12, 13, 14, 15])
    let view = m.rows(1..<5).permutedRows([3, 0, 2, 1]).rows(1..<4).adding(0.5)
    #expect(view.shape == [3, 4] && view.byteCount == 12 * (format == .f32 ? 4 : 2))
    #expect((0..<3).map { row(view, $0)[0] } == [4.5, 12.5, 8.5])
    #expect(
      row(v.permutedElements([7, 6, 5, 4, 3, 2, 1, 0]).permutedElements([0, 2, 4, 6, 1, 3, 5, 7]), 0)
        == [7, 5, 3, 1, 6, 4, 2, 0])
    #expect(row(v.elements(2..<5).elements(1..<3), 0) == [3, 4])
    #expect(m.named("x").name == "x" && m.groupFormat == nil)
  }

  /// More rows than one block of the quantiser holds: threads and blocks do not show in the bytes.
  @Test func blocksOfRowsDoNotShow() throws {
    let rows = 66_000
    var directory = ModelDirectory(hidden: 64, layers: 1, vocabulary: rows, tied: false)
    directory.format = .bf16
    let folder = directory.write()
    func convert(_ threads: Int) throws -> (ModelManifest, [UInt8]) {
      var weights: [UInt8] = []
      let importer = try HuggingFaceImporter(directory: folder.path, options: ImportOptions(threads: threads))
      return (try importer.convert { weights += $0 }, weights)
    }
    let (manifest, weights) = try convert(1)
    let (other, otherWeights) = try convert(3)
    #expect(manifest == other && weights == otherWeights)
    let image = try ModelImage(manifest: manifest, weights: ModelBytes(copying: weights))
    defer { withExtendedLifetime(image) {} }
    let head = image.linear8("lm_head")
    // Rows on both sides of the blocks' borders, against the definition.
    let source = directory.tensors[directory.tensors.count - 1].values
    let scales = (0..<rows).map { r in
      Double(source[(r * 64)..<(r * 64 + 64)].map(\.magnitude).max()!) / 127
    }
    let power = Double(sign: .plus, exponent: head.exponent, significand: 1)
    for r in [0, 1, 65_534, 65_535, 65_536, 65_537, rows - 1] {
      let largest = scales[r] * 127
      for c in 0..<64 {
        let expected = (Double(source[r * 64 + c]) * 127 / largest).rounded(.toNearestOrAwayFromZero)
        #expect(Double(head.values[r * 64 + c]) == expected)
      }
      #expect(Double(head.multipliers[r]) == (scales[r] * power).rounded(.toNearestOrAwayFromZero))
    }
  }
}
