import Foundation
import TestSupport
import Testing

/// Random damage to what a log and a verifier are given: an answer, never a crash; see ``FuzzedEvidence`` for what must
/// hold. `scripts/fuzz.sh` does the same for as long as one likes.
@Suite struct FuzzedEvidenceTests {
  static let words: [String] = [
    "{", "}", "[", "]", ",", ":", "\"", "\\u0000", "\\", "null", "true", "0", "-1", "1e9", "9007199254740993", "data: ",
    "data:[DONE]", "\n\n", "\r\n", "é", "https://evident.dev/key-revocation/v1", "sha256:", "\"start\":", "\"log\":",
  ]

  @Test(arguments: FuzzedEvidence.allCases)
  func damagedInputsAreRefusedOrKeepTheRules(_ parser: FuzzedEvidence) throws {
    let seed = TestFiles.environment("EVIDENT_SEED").flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)
    print("\(parser): EVIDENT_SEED=\(seed)")
    var random = SplitMix64(seed: seed)
    let folder = TestFiles.fixtures + "/fuzz/\(parser.rawValue)"
    var accepted = 0
    var rounds = 0
    for name in try TestFiles.files(below: folder) {
      let bytes = try TestFiles.bytes(folder + "/" + name)
      // What the fuzzer found is kept beside the seeds, and need not be valid.
      #expect(parser.accepts(bytes) || name.hasPrefix("found-"), "\(parser)/\(name)")
      for _ in 0..<500 {
        rounds += 1
        if parser.accepts(Damage.random(of: bytes, words: Self.words, using: &random)) { accepted += 1 }
      }
    }
    print("\(parser): \(accepted) of \(rounds) damaged inputs were still accepted")
    #expect(rounds >= 500 && accepted < rounds)
  }
}

extension TestFiles {
  /// Files that belong to these tests.
  fileprivate static let fixtures = URL(filePath: #filePath).deletingLastPathComponent().path + "/Fixtures"
}
