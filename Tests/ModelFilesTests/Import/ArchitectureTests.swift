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
}
