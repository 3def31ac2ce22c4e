import ModelGraph
import Testing

@Suite struct Linear4Tests {
  @Test(arguments: [TensorEntry.Kind.linear4, .linear4m], [false, true])
  func equalsTheMultipliedOutProduct(kind: TensorEntry.Kind, wild: Bool) throws {
    var random = SeededRandom.forTest()
    for width in [32, 64, 96, 320] {
      let config = RandomModel.configuration(hidden: width, layers: 1, intermediate: 33, vocabulary: 3)
      let image = try RandomModel(config: config, content: wild ? .wild : .ordinary, formats: [kind]).image(&random)
      let w = image.linear("layers.0.up_proj")
      let literal = LiteralWeight(w)
      let inputs = (0..<5).map { _ in
        Act16((0..<width).map { _ in Int16(random.spread(32767)) }, exponent: random.spread(40))
      }
      #expect(ReferenceOperators.linear(inputs, w) == inputs.map { literal.product($0) })
    }
  }

  @Test func storedGroupMultipliers() {
    #expect(Linear4.value(0) == 0 && Linear4.value(1 << 15) == 0)
    #expect(Linear4.value(2047) == 2047 && Linear4.value(2047 | 1 << 15) == -2047)
    #expect(Linear4.value(1024 | 1 << 11) == 2048 && Linear4.value(0x7FFF) == 2047 << 15)
    for stored in 0...UInt16.max { #expect(abs(Linear4.value(stored)) < 1 << 26) }
  }

  /// A weight of zeros has no shift, as in 8 bits.
  @Test func zeros() throws {
    var random = SeededRandom.forTest()
    let config = RandomModel.configuration(hidden: 32, layers: 1)
    var (manifest, weights) = RandomModel(config: config, formats: [.linear4]).make(&random)
    let up = manifest.tensors.first { $0.name == "layers.0.up_proj" }!
    #expect(up.kind == .linear4 && up.bytes == 20 * 32 / 2 + 64 + 4 * 20)
    for at in up.offset..<(up.offset + up.bytes) { weights[at] = 0 }
    manifest.blobs.weights.bytes = weights.count
    let image = try ModelImage(manifest: manifest, weights: ModelBytes(copying: weights))
    guard case .four(let w) = image.linear("layers.0.up_proj") else {
      Issue.record("not 4 bits")
      return
    }
    #expect(w.shifts.s1 == 0 && w.shifts.s2 == 0 && w.groupMinimums == nil)
    let out = ReferenceOperators.linear([Act16(Array(repeating: 1, count: 32), exponent: 0)], .four(w))
    #expect(out == [Act32(Array(repeating: 0, count: 20), exponent: -up.exponent)])
  }
}
