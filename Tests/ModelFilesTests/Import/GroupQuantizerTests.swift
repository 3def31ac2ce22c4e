import Digests
import ModelFiles
import ModelGraph
import Testing

/// 4-bit weights by the rule of docs/spec/model.md.
@Suite struct GroupQuantizerTests {
  private static let name = "model.layers.0.mlp.up_proj.weight"

  /// The model with these rows in the one weight that is looked at, zeros elsewhere in it.
  private func up(_ values: [[Float]], threads: Int = 1) throws -> (weight: Linear4, image: ModelImage) {
    var directory = ModelDirectory(hidden: 64, intermediate: 64, tied: false)
    let i = directory.tensors.firstIndex { $0.name == GroupQuantizerTests.name }!
    let rows = values.map { $0 + [Float](repeating: 0, count: 64 - $0.count) }
    directory.tensors[i].values =
      rows.flatMap { $0 } + [Float](repeating: 0, count: directory.tensors[i].values.count - 64 * rows.count)
    return try up(directory, threads: threads)
  }

  private func up(_ directory: ModelDirectory, threads: Int = 1) throws -> (weight: Linear4, image: ModelImage) {
    var bytes: [UInt8] = []
    let manifest = try HuggingFaceImporter(
      directory: directory.write().path, options: ImportOptions(threads: threads, weights: .fourBit)
    ).convert { bytes += $0 }
    let image = try ModelImage(manifest: manifest, weights: ModelBytes(copying: bytes))
    guard case .four(let weight) = image.linear("layers.0.up_proj") else { throw ImportRejection.untied("8 bits") }
    return (weight, image)
  }

  private func quants(_ w: Linear4, row: Int, group: Int) -> [Int] {
    (0..<32).map { i in
      let byte = w.values[row * w.columns / 2 + group * 16 + i / 2]
      return Int(i % 2 == 0 ? byte & 15 : byte >> 4) - 8
    }
  }

  /// What a group's weights are worth.
  private func real(_ w: Linear4, row: Int, group: Int) -> [Double] {
    let g = Double(Linear4.value(w.groupMultipliers[row * w.columns / 32 + group]))
    let scale = g * Double(w.multipliers[row]) * Double(sign: .plus, exponent: -w.exponent, significand: 1)
    return quants(w, row: row, group: group).map { Double($0) * scale }
  }

  @Test func weightsOnTheGridAreKept() throws {
    // Two groups whose scales differ by a factor of 1000 and in sign; the largest stands for -8.
    let first = (0..<32).map { i in Float(i % 16 - 8) * 0.75 }
    let second = (0..<32).map { i in Float(i % 16 - 8) * -0x1p-10 }
    let (w, image) = try up([first + second])
    defer { withExtendedLifetime(image) {} }
    #expect(real(w, row: 0, group: 0) == first.map { Double($0) })
    #expect(real(w, row: 0, group: 1) == second.map { Double($0) })
    #expect(w.groupMultipliers[0] >> 15 == 0 && w.groupMultipliers[1] >> 15 == 1)
    // 0.75 · 2^k lies in 2^25 ..< 2^26: eleven bits of mantissa and an exponent of 15.
    #expect(w.groupMultipliers[0] == 15 << 11 | 1536)
  }

  @Test func zerosHaveNoScale() throws {
    let (w, image) = try up([[1], [], [0, 0, -3]])
    defer { withExtendedLifetime(image) {} }
    #expect(Array(w.groupMultipliers[0..<6]) == [15 << 11 | 1024 | 0x8000, 0, 0, 0, 15 << 11 | 1536, 0])
    #expect(w.multipliers[1] == 0 && w.multipliers[0] > 0 && w.multipliers[2] > 0)
    #expect(quants(w, row: 1, group: 0).allSatisfy { $0 == 0 })
    #expect(quants(w, row: 0, group: 1).allSatisfy { $0 == 0 })
    #expect(real(w, row: 0, group: 0).first == 1 && real(w, row: 2, group: 0)[2] == -3)
  }

  /// The rule, word for word and one number at a time.
  private func search(_ x: [Float]) -> (quants: [Int], scale: Double) {
    var extreme: Float = 0
    for value in x where value.magnitude > extreme.magnitude { extreme = value }
    var best: (score: Double, quants: [Int], scale: Double) = (-1, [], 0)
    for c in 0...16 {
      let s = -Double(extreme) / (8 - Double(c) / 8)
      let q = x.map { max(-8, min(7, Int((Double($0) / s).rounded(.toNearestOrAwayFromZero)))) }
      let n = zip(x, q).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
      let d = q.reduce(0.0) { $0 + Double($1 * $1) }
      if n * n / d > best.score { best = (n * n / d, q, n / d) }
    }
    return (best.quants, best.scale)
  }

  @Test func searchFollowsTheRule() throws {
    var (seed, generator) = SeededGenerator.announced("GroupQuantizerTests.searchFollowsTheRule")
    _ = seed
    for round in 0..<6 {
      let rows: [[Float]] = (0..<48).map { _ in
        (0..<64).map { _ in
          // Coarse numbers make ties, fine ones everything else.
          let x = Float.random(in: -1...1, using: &generator)
          return round % 2 == 0 ? x * Float(1 << Int.random(in: 0...6, using: &generator)) : (x * 16).rounded() / 8
        }
      }
      let (w, image) = try up(rows, threads: 1 + round)
      defer { withExtendedLifetime(image) {} }
      for (r, row) in rows.enumerated() {
        let groups = [search(Array(row[..<32])), search(Array(row[32...]))]
        for (g, group) in groups.enumerated() {
          #expect(quants(w, row: r, group: g) == group.quants)
          let stored = Double(Linear4.value(w.groupMultipliers[2 * r + g])) * Double(w.multipliers[r])
          let scale = stored * Double(sign: .plus, exponent: -w.exponent, significand: 1)
          // Within a row no scale here is 2^14 times another.
          #expect(abs(scale - group.scale) <= abs(group.scale) * 0x1p-11 * 1.001)
        }
      }
    }
  }

  @Test func threadsDoNotMatter() throws {
    let directory = ModelDirectory(hidden: 64, intermediate: 96, tied: false, seed: 7)
    let one = try up(directory)
    for threads in [2, 3, 64] {
      let other = try up(directory, threads: threads)
      #expect(other.image.weights.array == one.image.weights.array)
      #expect(other.image.manifest == one.image.manifest)
    }
  }

  @Test func onlyWholeGroupsGetFourBits() throws {
    // 16 heads' elements and 48 hidden ones: o_proj and down_proj have no whole groups.
    var directory = ModelDirectory(hidden: 64, intermediate: 48, tied: false)
    var bytes: [UInt8] = []
    let manifest = try HuggingFaceImporter(
      directory: directory.write().path, options: ImportOptions(weights: .fourBit)
    ).convert { bytes += $0 }
    func kind(_ name: String) -> TensorEntry.Kind? { manifest.tensor(name)?.kind }
    #expect(kind("layers.0.q_proj") == .linear4 && kind("layers.1.up_proj") == .linear4)
    #expect(kind("layers.0.o_proj") == .linear8 && kind("layers.0.down_proj") == .linear8)
    #expect(kind("lm_head") == .linear8 && kind("embed_tokens") == .table16)
    // The head keeps 8 bits unless it is named.
    for (head, found) in [(WeightFormat.fourBit, TensorEntry.Kind.linear4), (.sixteenBit, .linear16)] {
      let options = ImportOptions(weights: .eightBit, head: head)
      let other = try HuggingFaceImporter(directory: directory.write().path, options: options).convert { _ in }
      #expect(other.tensor("lm_head")?.kind == found && other.tensor("layers.0.q_proj")?.kind == .linear8)
    }
    directory.set("vocab_size", 32)
    for weights in [WeightFormat.automatic, .eightBit] {
      let plain = try HuggingFaceImporter(directory: directory.write().path, options: ImportOptions(weights: weights))
        .convert { _ in }
      #expect(!plain.tensors.contains { $0.kind == .linear4 || $0.kind == .linear4m })
    }
  }

  @Test func numbersMustBeFinite() throws {
    for bad in [Float.nan, .infinity] {
      var directory = ModelDirectory(hidden: 64, intermediate: 64, tied: false)
      let i = directory.tensors.firstIndex { $0.name == GroupQuantizerTests.name }!
      directory.tensors[i].values[777] = bad
      directory.tensors[i].values[3000] = bad
      #expect(
        throws: ImportRejection.notFinite(tensor: GroupQuantizerTests.name, element: 777, file: "model.safetensors")
      ) { try up(directory, threads: 3) }
    }
  }
}
