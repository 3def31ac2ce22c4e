import Foundation
import TestSupport

/// Numbers whose extremes are common.
///
/// The seed of a run is printed and can be given back in EVIDENT_SEED.
struct SeededRandom: RandomNumberGenerator {
  private var generator: SplitMix64

  init(seed: UInt64) { generator = SplitMix64(seed: seed) }

  /// A generator for one test; `stream` keeps tests apart from each other.
  static func forTest(_ stream: String = #function) -> SeededRandom {
    SeededRandom(seed: stream.utf8.reduce(runSeed) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 })
  }

  private static let runSeed: UInt64 = {
    let given = ProcessInfo.processInfo.environment["EVIDENT_SEED"].flatMap { UInt64($0) }
    let seed = given ?? UInt64.random(in: 0 ... .max)
    print("EVIDENT_SEED=\(seed)")
    return seed
  }()

  mutating func next() -> UInt64 {
    generator.next()
  }

  /// A magnitude whose bit length is uniform up to that of `limit`, either sign: extremes are common.
  mutating func spread(_ limit: Int) -> Int {
    switch Int.random(in: 0..<12, using: &self) {
    case 0: return limit
    case 1: return -limit
    case 2: return 0
    default:
      let bits = Int.random(in: 0...Int.bitWidth - limit.leadingZeroBitCount, using: &self)
      let magnitude = min(limit, Int.random(in: 0...max(1, (1 << min(bits, 62)) - 1), using: &self))
      return Bool.random(using: &self) ? magnitude : -magnitude
    }
  }
}
