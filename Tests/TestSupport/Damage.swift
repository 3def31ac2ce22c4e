/// Random damage to bytes that a parser is given.
package enum Damage {
  /// What means something in signed notes, proofs and policies.
  package static let noteWords: [String] = [
    "\n", "\n\n", "— ", "+", " ", "=", "==", "0", "00", "-1", "18446744073709551615", "9223372036854775808", "none",
    "group a 1 a\n", "quorum none\n", "log ", "#", "\t", "\r", "\u{85}", "\u{2028}", ".p/", "x000/", "/", "extra ",
    "index ",
  ]

  /// One to three changes: bits, bytes, pieces taken away, repeated or put in, and the end cut off.
  package static func random(
    of bytes: [UInt8], words: [String], using random: inout some RandomNumberGenerator
  ) -> [UInt8] {
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
