import TestSupport

/// Numbers of a seed that is printed and can be given back.
struct SeededGenerator: RandomNumberGenerator {
  private var generator: SplitMix64
  let seed: UInt64

  /// Takes the seed from `EVIDENT_SEED`, otherwise draws one; prints it.
  init(_ test: String) {
    let seed = TestFiles.environment("EVIDENT_SEED").flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
    print("\(test): EVIDENT_SEED=\(seed)")
    self.init(seed: seed)
  }

  init(seed: UInt64) {
    self.seed = seed
    generator = SplitMix64(seed: seed)
  }

  mutating func next() -> UInt64 {
    generator.next()
  }

  mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next()) } }
}
