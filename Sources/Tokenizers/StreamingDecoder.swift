/// Turns ids into text while they arrive. Never emits part of a character: what it returns, taken
/// together with ``finish()``, is exactly the text of the whole decoding.
public struct StreamingDecoder: Sendable {
  private let tokenizer: Tokenizer
  private let skipsSpecial: Bool
  private var run: DecoderRun
  private var pending: [UInt8] = []
  /// So many tokens, from the first, have all of their text in what ``push(_:)`` has given out.
  public private(set) var settledTokens = 0

  init(_ tokenizer: Tokenizer, skipsSpecial: Bool) {
    self.tokenizer = tokenizer
    self.skipsSpecial = skipsSpecial
    run = DecoderRun(tokenizer.decoder)
  }

  /// The text that is certain once `id` is known; empty when `id` ends inside a character.
  public mutating func push(_ id: Int32) -> String {
    run.beginToken()
    tokenizer.push(id, skipsSpecial: skipsSpecial, into: &run)
    pending.append(contentsOf: run.takeOutput())
    let complete = pending.count - Self.incompleteSuffix(pending)
    if complete == pending.count { settledTokens = run.settledTokens }
    defer { pending.removeFirst(complete) }
    return String(decoding: pending[..<complete], as: UTF8.self)
  }

  /// What is left at the end; an unfinished character becomes U+FFFD.
  public mutating func finish() -> String {
    run.finish()
    pending.append(contentsOf: run.takeOutput())
    defer { pending.removeAll() }
    return String(decoding: pending, as: UTF8.self)
  }

  /// How many bytes at the end could still become one character.
  private static func incompleteSuffix(_ bytes: [UInt8]) -> Int {
    for count in 1...3 where count <= bytes.count {
      let tail = Array(bytes.suffix(count))
      let length: Int
      var second: ClosedRange<UInt8> = 0x80...0xBF
      switch tail[0] {
      case 0x80..<0xC0: continue
      case 0xC2...0xDF: length = 2
      case 0xE0: (length, second) = (3, 0xA0...0xBF)
      case 0xED: (length, second) = (3, 0x80...0x9F)
      case 0xE1...0xEF: length = 3
      case 0xF0: (length, second) = (4, 0x90...0xBF)
      case 0xF1...0xF3: length = 4
      case 0xF4: (length, second) = (4, 0x80...0x8F)
      default: return 0
      }
      return count < length && (count < 2 || second.contains(tail[1])) ? count : 0
    }
    return 0
  }
}
