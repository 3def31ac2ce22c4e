import Digests
import ModelFiles
import ModelGraph
import Testing

/// Every family against `transformers` in float32 on the same weights: a wrong rotation, window or norm would
/// show, as `make_architectures.py --teeth` proves of 152 wrong ones.
@Suite struct ArchitectureTests {
  @Test(arguments: ArchitectureFixture.all(ArchitectureFixture.decoders))
  func decodersAgreeWithFloat(_ fixture: ArchitectureFixture) throws {
    let interpreter = ReferenceInterpreter(image: try fixture.image())
    var found: [[Double]] = []
    for sequence in try fixture.sequences() {
      var state = interpreter.makeState()
      found += try interpreter.evaluate(sequence, state: &state, logits: .all).map { logits in
        // Cosines and maxima do not depend on the exponent.
        logits.values.map { Double($0) }
      }
    }
    let agreement = Agreement(found, try fixture.expected(), top: try fixture.top())
    print(agreement.row(fixture))
    #expect(agreement.leastCosine >= 0.999)
    #expect(agreement.top >= 0.98)
  }

  @Test(arguments: ArchitectureFixture.all(ArchitectureFixture.encoders))
  func encodersAgreeWithFloat(_ fixture: ArchitectureFixture) throws {
    let interpreter = ReferenceInterpreter(image: try fixture.image())
    let config = interpreter.image.manifest.config
    let found = try fixture.sequences().map { sequence in
      let vector = Embedding.vector(
        try interpreter.encode(sequence), pooling: try #require(config.pooling), normalised: config.normalised,
        dimensions: config.hiddenSize, fractionBits: config.residualFractionBits)
      return vector.values.map { Double($0) * Double(sign: .plus, exponent: vector.exponent, significand: 1) }
    }
    let expected = try fixture.expected()
    let top = expected.map { row in row.indices.max { row[$0] < row[$1] } ?? 0 }
    let agreement = Agreement(found, expected, top: top)
    print(agreement.row(fixture))
    #expect(agreement.leastCosine >= 0.9995)
    #expect(agreement.top >= 0.98)
    for (a, b) in zip(found, expected) {
      // Embeddings have a length of their own where they are not normalised.
      #expect(zip(a, b).allSatisfy { abs($0 - $1) < 0.01 })
    }
  }
}
