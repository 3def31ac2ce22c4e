import Foundation
import TestSupport

/// Numbers of a seed that is printed and can be given back.
struct SeededGenerator: RandomNumberGenerator {
  private var generator: SplitMix64
  init(seed: UInt64) { generator = SplitMix64(seed: seed) }

  mutating func next() -> UInt64 {
    generator.next()
  }

  /// A seed from `EVIDENT_TEST_SEED`, or a new one; printed either way.
  static func announced(_ test: String) -> (seed: UInt64, generator: SeededGenerator) {
    let seed =
      ProcessInfo.processInfo.environment["EVIDENT_TEST_SEED"].flatMap { UInt64($0) } ?? .random(in: 0 ... .max)
    print("\(test): EVIDENT_TEST_SEED=\(seed)")
    return (seed, SeededGenerator(seed: seed))
  }
}
