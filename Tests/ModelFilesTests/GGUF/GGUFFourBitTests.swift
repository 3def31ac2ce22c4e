import Digests
import ModelFiles
import ModelGraph
import Testing

/// Blocks of 4 bits stay what they are: the same quants, and scales to eleven bits.
@Suite struct GGUFFourBitTests {
  /// Model tensors that stay in 4 bits, with where they come from.
  private func kept(_ weights: WeightFormat) throws -> (image: ModelImage, sources: [String: SourceTensor]) {
    let path = Fixtures.path("gguf/formats.gguf")
    var bytes: [UInt8] = []
    let manifest = try HuggingFaceImporter(directory: path, options: ImportOptions(threads: 2, weights: weights))
      .convert { bytes += $0 }
    let image = try ModelImage(manifest: manifest, weights: ModelBytes(copying: bytes))
    let parts = try GGUFParts(path: path)
    var sources: [String: SourceTensor] = [:]
    for tensor in try GGUFTranslation(parts, vocabulary: GGUFVocabulary.source(parts.metadata)).tensors {
      let name = tensor.name.replacing(/^model\./, with: "").replacing(/\.(self_attn|mlp)\./, with: ".")
      sources[name.replacing(/\.weight$/, with: "")] = tensor
    }
    return (image, sources)
  }

  @Test func scalesAreKeptToElevenBits() throws {
    let (image, sources) = try kept(.automatic)
    var formats: [String: Int] = [:]
    for entry in image.manifest.tensors where entry.kind == .linear4 || entry.kind == .linear4m {
      let source = try #require(sources[entry.name])
      formats[source.format, default: 0] += 1
      #expect((entry.kind == .linear4) == (source.format == "Q4_0"))
      guard case .four(let w) = image.linear(entry.name) else { continue }
      let groups = w.columns / 32
      let factor =
        entry.name.hasSuffix(".q_proj")
        ? 1.4426950408889634 / Double(image.manifest.config.headDimension).squareRoot() : 1
      var quants = [UInt8](repeating: 0, count: w.columns)
      var (scales, minimums) = ([Double](repeating: 0, count: groups), [Double](repeating: 0, count: groups))
      for r in 0..<w.rows {
        quants.withUnsafeMutableBufferPointer { quants in
          scales.withUnsafeMutableBufferPointer { scales in
            minimums.withUnsafeMutableBufferPointer { minimums in
              source.readGroups(row: r, quants: quants, scales: scales, minimums: minimums)
            }
          }
        }
        for i in 0..<w.columns {
          let byte = w.values[(r * w.columns + i) / 2]
          #expect((i % 2 == 0 ? byte & 15 : byte >> 4) == quants[i], "\(entry.name) row \(r) element \(i)")
        }
        let unit = Double(w.multipliers[r]) * Double(sign: .plus, exponent: -w.exponent, significand: 1)
        for g in 0..<groups {
          let scale = Double(Linear4.value(w.groupMultipliers[r * groups + g])) * unit
          #expect(abs(scale - scales[g] * factor) <= abs(scales[g] * factor) * 0x1p-9, "\(entry.name) row \(r)")
          guard let stored = w.groupMinimums else { continue }
          let minimum = 16 * Double(Linear4.value(stored[r * groups + g])) * unit
          #expect(abs(minimum - minimums[g] * factor) <= abs(minimums[g] * factor) * 0x1p-9, "\(entry.name) row \(r)")
        }
      }
    }
    #expect(Set(formats.keys) == ["Q4_0", "Q4_1", "Q4_K"], "\(formats)")
  }

  @Test func otherFormatsCanBeAskedFor() throws {
    for weights in WeightFormat.allCases {
      let (image, sources) = try kept(weights)
      for entry in image.manifest.tensors where entry.name.hasSuffix("_proj") {
        let source = try #require(sources[entry.name])
        let own: TensorEntry.Kind? = ["Q4_0": .linear4, "Q4_1": .linear4m, "Q4_K": .linear4m][source.format]
        let expected: TensorEntry.Kind =
          switch weights {
          case .automatic: own ?? .linear8
          case .eightBit: .linear8
          case .sixteenBit: .linear16
          case .fourBit: own ?? (source.columns % 32 == 0 ? .linear4 : .linear8)
          }
        #expect(entry.kind == expected, "\(entry.name), \(source.format), \(weights)")
      }
    }
  }
}
