import Foundation

/// SplitMix64: the same numbers for the same seed everywhere.
///
/// The seed of a run is printed and can be given back in EVIDENT_SEED.
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

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
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
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
