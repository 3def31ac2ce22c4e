import TestSupport
import Testing
import Transparency

/// Random damage to everything that is parsed: an answer, never a crash; see ``FuzzedParser`` for what must hold.
/// `scripts/fuzz.sh` does the same for as long as one likes.
@Suite struct MutationTests {
  static let words: [String] = [
    "\n", "\n\n", "— ", "+", " ", "=", "==", "0", "00", "-1", "18446744073709551615", "9223372036854775808", "none",
    "group a 1 a\n", "quorum none\n", "log ", "#", "\t", "\r", "\u{85}", "\u{2028}", ".p/", "x000/", "/", "extra ",
    "index ",
  ]

  @Test(arguments: FuzzedParser.allCases)
  func damagedInputsAreRefusedOrKeepTheRules(_ parser: FuzzedParser) throws {
    var random = SeededGenerator("mutation of \(parser)")
    let folder = TestFiles.fixtures + "/fuzz/\(parser.rawValue)"
    let names = try TestFiles.files(below: folder)
    var accepted = 0
    var rounds = 0
    for name in names {
      let seed = try TestFiles.bytes(folder + "/" + name)
      // What the fuzzer found is kept beside the seeds, and need not be valid.
      #expect(parser.accepts(seed) || name.hasPrefix("found-"), "\(parser)/\(name)")
      for _ in 0..<1500 {
        rounds += 1
        if parser.accepts(Self.damaged(seed, &random)) { accepted += 1 }
      }
      for length in 0..<min(seed.count, 400) { _ = parser.accepts(Array(seed[..<length])) }
    }
    print("\(parser): \(accepted) of \(rounds) damaged inputs were still accepted")
    #expect(rounds >= 1500 && accepted < rounds)
  }

  static func damaged(_ bytes: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
    var out = bytes
    for _ in 0..<Int.random(in: 1...3, using: &random) {
      if out.isEmpty { return out }
      let i = Int.random(in: out.indices, using: &random)
      switch Int.random(in: 0..<7, using: &random) {
      case 0: out[i] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      case 1: out[i] = UInt8.random(in: 0...255, using: &random)
      case 2: out.removeSubrange(i..<min(out.count, i + Int.random(in: 1...30, using: &random)))
      case 3: out.insert(contentsOf: words.randomElement(using: &random)!.utf8, at: i)
      case 4:
        let piece = out[i..<min(out.count, i + Int.random(in: 1...60, using: &random))]
        out.insert(contentsOf: piece, at: Int.random(in: out.indices, using: &random))
      case 5: out[i] = out.randomElement(using: &random)!
      default: out.removeLast(Int.random(in: 0..<out.count, using: &random))
      }
    }
    return out
  }
}
