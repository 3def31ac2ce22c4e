/// A small generator of reproducible noise (SplitMix64).
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  let seed: UInt64

  /// Takes the seed from `EVIDENT_SEED`, otherwise draws one; prints it.
  init(_ test: String) {
    let seed = TestFiles.environment("EVIDENT_SEED").flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
    print("\(test): EVIDENT_SEED=\(seed)")
    self.init(seed: seed)
  }

  init(seed: UInt64) {
    self.seed = seed
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }

  mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}
