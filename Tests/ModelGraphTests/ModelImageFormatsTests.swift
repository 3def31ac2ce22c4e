import ModelGraph
import Testing

/// What ``ModelImage`` checks of 4-bit weights and biases, and where formats may stand.
@Suite struct ModelImageFormatsTests {
  let manifest: ModelManifest
  let weights: [UInt8]

  init() {
    var random = SeededRandom.forTest("formats")
    var config = RandomModel.configuration(hidden: 64, layers: 1, intermediate: 32, vocabulary: 5)
    config.biases = [.query]
    // The input of o, 12 wide, is too narrow for groups of 32.
    (manifest, weights) = RandomModel(architecture: "qwen2", config: config, formats: [.linear4m]).make(&random)
  }

  func refuses(
    _ expected: ModelRejection, _ location: SourceLocation = #_sourceLocation,
    _ change: (inout ModelManifest, inout [UInt8]) -> Void
  ) {
    var (m, w) = (manifest, weights)
    change(&m, &w)
    #expect(throws: expected, sourceLocation: location) {
      try ModelImage(manifest: m, weights: ModelBytes(copying: w))
    }
  }

  func index(_ name: String) -> Int { manifest.tensors.firstIndex { $0.name == name }! }

  @Test func formatsAndTheirParts() throws {
    let image = try ModelImage(manifest: manifest, weights: ModelBytes(copying: weights))
    #expect(manifest.tensor("layers.0.o_proj")!.kind == .linear8)
    #expect(manifest.tensor("lm_head")!.kind == .linear4m)
    let q = manifest.tensor("layers.0.q_proj")!
    // 12 rows of 64: 384 bytes of values, 48 of multipliers and of minimums at multiples of 64, 48 of multipliers.
    #expect(q.kind == .linear4m && q.bytes == 384 + 64 + 64 + 48)
    guard case .four(let w) = image.linear("layers.0.q_proj") else {
      Issue.record("not 4 bits")
      return
    }
    #expect(w.rows == 12 && w.columns == 64 && w.values.count == 384 && w.multipliers.count == 12)
    #expect(w.groupMultipliers.count == 24 && w.groupMinimums?.count == 24 && w.exponent == q.exponent)
    #expect(image.bias("layers.0.q_proj.bias").values.count == 12)
    #expect(image.linear("layers.0.o_proj").rows == 64)
  }

  @Test func extents() {
    for (kind, shape, bytes) in [
      (TensorEntry.Kind.linear4, [3, 32], 48 + 16 + 6 + 58 + 12), (.linear4m, [3, 32], 48 + 16 + 64 + 6 + 58 + 12),
      (.linear4, [3, 33], nil), (.linear4m, [3, 16], nil), (.linear4, [96], nil), (.linear4, [3, 0], nil),
      (.bias, [7], 28), (.bias, [7, 1], nil), (.linear4, [1 << 31, 1 << 31], (1 << 61) + (1 << 58) + (1 << 33)),
      (.linear4, [(1 << 31) + 1, 32], nil), (.linear16, [3, 5], 30 + 34 + 12), (.linear16, [15], nil),
    ] as [(TensorEntry.Kind, [Int], Int?)] {
      #expect(TensorEntry.bytes(kind: kind, shape: shape) == bytes, "\(kind) \(shape)")
    }
    let q = index("layers.0.q_proj")
    refuses(.tensorExtent("layers.0.q_proj", stated: 560, expected: nil)) { m, _ in m.tensors[q].shape = [24, 48] }
    refuses(.tensorExtent("layers.0.q_proj", stated: 560, expected: 384 + 64 + 48)) { m, _ in
      m.tensors[q].kind = .linear4
    }
  }

  @Test func paddingsAreZero() {
    let q = manifest.tensors[index("layers.0.q_proj")]
    for at in [384 + 48, 384 + 63, 384 + 64 + 48, 384 + 64 + 63] {
      refuses(.gapNotZero(offset: q.offset + at)) { _, w in w[q.offset + at] = 1 }
    }
  }

  @Test func contents() {
    let q = manifest.tensors[index("layers.0.q_proj")]
    refuses(
      .outOfBounds("the largest multiplier of tensor layers.0.q_proj", value: 1 << 24, lower: 0, upper: (1 << 24) - 1)
    ) { _, w in w.replaceSubrange((q.offset + q.bytes - 4)..<(q.offset + q.bytes), with: [0, 0, 0, 1]) }
    let bias = manifest.tensors[index("layers.0.q_proj.bias")]
    let limit = (1 << 23) - 1
    for (value, which) in [
      (limit + 1, "largest"), (Int(Int32.max), "largest"), (-limit - 1, "smallest"), (Int(Int32.min), "smallest"),
    ] {
      refuses(
        .outOfBounds("the \(which) bias of tensor layers.0.q_proj.bias", value: value, lower: -limit, upper: limit)
      ) {
        $1.replaceSubrange(
          bias.offset..<(bias.offset + 4), with: (0..<4).map { UInt8(truncatingIfNeeded: value >> (8 * $0)) })
      }
    }
    // No group can be refused: their form alone bounds them.
    var w = weights
    for at in q.offset..<(q.offset + 512) where !(432..<448).contains(at - q.offset) && at - q.offset < 496 {
      w[at] = 0xFF
    }
    #expect(throws: Never.self) { try ModelImage(manifest: manifest, weights: ModelBytes(copying: w)) }
  }

  /// The router decides: it stays in 8 bits.
  @Test func notEveryWeightMayHaveFourBits() throws {
    var random = SeededRandom.forTest()
    for (architecture, name) in [("mixtral", "layers.0.router")] {
      var config = RandomModel.configuration(of: architecture, &random)
      config.layers = 1
      var (m, w) = RandomModel(architecture: architecture, config: config).make(&random)
      let at = m.tensors.firstIndex { $0.name == name }!
      let shape = m.tensors[at].shape
      // Its bytes become those of a 4-bit weight behind everything else.
      for i in m.tensors[at].offset..<(m.tensors[at].offset + m.tensors[at].bytes) { w[i] = 0 }
      w += [UInt8](repeating: 0, count: TensorEntry.paddedTo64(w.count) - w.count)
      m.tensors[at].kind = .linear4
      m.tensors[at].offset = w.count
      m.tensors[at].bytes = TensorEntry.bytes(kind: .linear4, shape: shape)!
      w += [UInt8](repeating: 0, count: m.tensors[at].bytes)
      m.blobs.weights.bytes = w.count
      #expect(throws: ModelRejection.wrongShape(name, found: "linear4 \(shape)", expected: "linear8 \(shape)")) {
        try ModelImage(manifest: m, weights: ModelBytes(copying: w))
      }
    }
  }
}
