import TestSupport
import Testing
import Transparency

/// Random damage to everything that is parsed: an answer, never a crash; see ``FuzzedParser`` for what must hold.
/// `scripts/fuzz.sh` does the same for as long as one likes.
@Suite struct MutationTests {
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
        if parser.accepts(Damage.random(of: seed, words: Damage.noteWords, using: &random)) { accepted += 1 }
      }
      for length in 0..<min(seed.count, 400) { _ = parser.accepts(Array(seed[..<length])) }
    }
    print("\(parser): \(accepted) of \(rounds) damaged inputs were still accepted")
    #expect(rounds >= 1500 && accepted < rounds)
  }
}
