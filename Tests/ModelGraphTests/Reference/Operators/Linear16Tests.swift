import ModelGraph
import Testing

@Suite struct Linear16Tests {
  @Test(arguments: [false, true])
  func equalsTheMultipliedOutProduct(wild: Bool) throws {
    var random = SeededRandom.forTest()
    for width in [2, 32, 66, 320] {
      let config = RandomModel.configuration(hidden: width, layers: 1, intermediate: 33, vocabulary: 3)
      let image = try RandomModel(config: config, content: wild ? .wild : .ordinary, formats: [.linear16])
        .image(&random)
      let w = image.linear("layers.0.up_proj")
      let literal = LiteralWeight(w)
      let inputs = (0..<5).map { _ in
        Act16((0..<width).map { _ in Int16(random.spread(32767)) }, exponent: random.spread(40))
      }
      #expect(ReferenceOperators.linear(inputs, w) == inputs.map { literal.product($0) })
    }
  }

  /// Wmax is that of every int16, so that the shifts do not depend on the weights.
  @Test func shifts() {
    // 32767 · 2^15 · 384 lies between 2^38 and 2^39; halved, times 2^24 - 1, it needs 33 bits less.
    let shifts = TwoShifts(largestWeight: 32768, columns: 384, largestMultiplier: (1 << 24) - 1)
    #expect(shifts.s1 == 1)
    let product = ((32767 * 32768 * 384 + 1) >> 1) * ((1 << 24) - 1)
    let limit = (1 << 30) - 1
    #expect(product <= limit << shifts.s2 && product > limit << (shifts.s2 - 1))
    let none = TwoShifts(largestWeight: 32768, columns: 1, largestMultiplier: 0)
    #expect(none.s1 == 0 && none.s2 == 0)
  }
}
