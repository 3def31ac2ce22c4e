/// What SentencePiece's "nmt" rules do to control characters and spaces.
enum NMTCleaning {
  static func drops(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x01...0x08, 0x0B, 0x0E...0x1F, 0x7F, 0x8F, 0x9F: true
    default: false
    }
  }

  private static func isSpace(_ scalar: UInt32) -> Bool {
    switch scalar {
    case 0x09, 0x0A, 0x0C, 0x0D, 0x1680, 0x200B...0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD: true
    default: false
    }
  }

  static func apply(_ text: [UInt8]) -> [UInt8] {
    var out: [UInt8] = []
    out.reserveCapacity(text.count)
    var at = 0
    while at < text.count {
      let s = UTF8Text.scalar(text, at: at)
      if isSpace(s.value) {
        out.append(0x20)
      } else if !drops(s.value) {
        out.append(contentsOf: text[at..<(at + s.length)])
      }
      at += s.length
    }
    return out
  }
}
