import TestSupport

/// Numbers of a seed that is printed and can be given back.
struct SeededGenerator: RandomNumberGenerator {
  private var generator: SplitMix64
  let seed: UInt64

  /// Takes the seed from the environment, and prints it.
  init(_ variable: String, default seed: UInt64) {
    self.seed = TestFiles.environment(variable).flatMap { UInt64($0) } ?? seed
    generator = SplitMix64(seed: self.seed)
    print("\(variable)=\(self.seed)")
  }

  mutating func next() -> UInt64 {
    generator.next()
  }
}
