import Digests
import ModelFiles
import ModelGraph
import Testing

/// The rules of docs/spec/model.md on values chosen so that the answers can be worked out by hand.
@Suite struct QuantizerTests {
  private func image(_ change: (inout ModelDirectory) -> Void) throws -> ModelImage {
    var directory = ModelDirectory(tied: false)
    change(&directory)
    var weights: [UInt8] = []
    let manifest = try HuggingFaceImporter(directory: directory.write().path).convert { weights += $0 }
    return try ModelImage(manifest: manifest, weights: ModelBytes(copying: weights))
  }

  private func set(_ directory: inout ModelDirectory, _ name: String, _ values: [Float]) {
    let i = directory.tensors.firstIndex { $0.name == name }!
    directory.tensors[i].values =
      values + [Float](repeating: 0, count: directory.tensors[i].values.count - values.count)
  }

  @Test func tiesRoundAwayFromZero() throws {
    let name = "model.layers.0.mlp.up_proj.weight"
    // m = 127, so that every weight is its own integer.
    let image = try image {
      set(&$0, name, [127, 0.5, -0.5, 1.5, -1.5, 2.5, -2.5, 0.49, -0.49, 126.5, -126.5, -127, 0, -0])
    }
    defer { withExtendedLifetime(image) {} }
    let up = image.linear8("layers.0.up_proj")
    #expect(Array(up.values.prefix(14)) == [127, 1, -1, 2, -2, 3, -3, 0, 0, 127, -127, -127, 0, 0])
    // The first row's scale is 1 = 2^23 · 2^-23; the other rows are zero.
    #expect(up.exponent == 23)
    #expect(up.multipliers[0] == 1 << 23 && up.multipliers[1] == 0)
    #expect(up.values.dropFirst(16).allSatisfy { $0 == 0 })
  }

  @Test func tensorsOfZeros() throws {
    let image = try image {
      set(&$0, "model.layers.1.self_attn.q_proj.weight", [])
      set(&$0, "model.norm.weight", [])
    }
    defer { withExtendedLifetime(image) {} }
    let query = image.linear8("layers.1.q_proj")
    #expect(query.exponent == 0 && query.multipliers.allSatisfy { $0 == 0 } && query.values.allSatisfy { $0 == 0 })
    #expect(image.gain("norm").exponent == 0 && image.gain("norm").values.allSatisfy { $0 == 0 })
  }

  @Test func queriesCarryTheLogarithm() throws {
    let values: [Float] = [127, -127]
    let image = try image {
      set(&$0, "model.layers.0.self_attn.q_proj.weight", values)
      set(&$0, "model.layers.0.self_attn.k_proj.weight", values)
    }
    defer { withExtendedLifetime(image) {} }
    // log2(e) / √8 = 0.51006… lies in [2^-1, 2^0).
    let query = image.linear8("layers.0.q_proj")
    let expected = (1.4426950408889634 / 8.0.squareRoot() * 0x1p24).rounded(.toNearestOrAwayFromZero)
    #expect(query.exponent == 24 && Double(query.multipliers[0]) == expected)
    #expect(image.linear8("layers.0.k_proj").multipliers[0] == 1 << 23)
  }

  @Test func gainsAndTables() throws {
    let image = try image {
      set(&$0, "model.norm.weight", [1, -0.5, 0x1p-22, 0x1.8p-24])
      set(&$0, "model.embed_tokens.weight", [1, -1, 0.25])
    }
    defer { withExtendedLifetime(image) {} }
    // √16 = 4 = 2^22 · 2^-20.
    #expect(image.gain("norm").exponent == 20)
    #expect(Array(image.gain("norm").values.prefix(4)) == [1 << 22, -(1 << 21), 1, 0])
    let table = image.table16("embed_tokens")
    #expect(Array(table.values.prefix(3)) == [32767, -32767, 8192])
    #expect(table.exponent == 38 && table.multipliers[0] == UInt32((0x1p38 / 32767).rounded()))
  }

  /// Random rows against a transcription with other operations: exact integers instead of binary64.
  @Test func randomRows() throws {
    var (_, generator) = SeededGenerator.announced("QuantizerTests.randomRows")
    let rows = 24, columns = 16
    // Integers up to 2^20 as weights: w = round(127 x / m) is then a quotient of integers.
    let integers = (0..<(rows * columns)).map { _ in Int.random(in: -(1 << 20)...(1 << 20), using: &generator) }
    let image = try image { set(&$0, "model.layers.0.mlp.gate_proj.weight", integers.map { Float($0) }) }
    defer { withExtendedLifetime(image) {} }
    let gate = image.linear8("layers.0.gate_proj")
    for r in 0..<rows {
      let row = integers[(r * columns)..<((r + 1) * columns)]
      let m = row.map(\.magnitude).max()!
      for (c, x) in row.enumerated() {
        let w = Int((2 * 127 * x.magnitude + m) / (2 * m))
        #expect(Int(gate.values[r * columns + c]) == (x < 0 ? -w : w))
      }
    }
  }
}
