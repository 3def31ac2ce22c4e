/// The 256 printable characters that byte-level tokenizers write bytes with, from GPT-2.
enum ByteAlphabet {
  /// The scalar for each byte: itself when it is a printable character of Latin-1, else from U+0100 on.
  static let scalars: [UInt32] = {
    var out = [UInt32](repeating: 0, count: 256)
    var next: UInt32 = 0x100
    for b in UInt32(0)..<256 {
      if (0x21...0x7E).contains(b) || (0xA1...0xAC).contains(b) || (0xAE...0xFF).contains(b) {
        out[Int(b)] = b
      } else {
        out[Int(b)] = next
        next += 1
      }
    }
    return out
  }()

  /// The UTF-8 of each scalar: one byte, or two (the second is 0 when there is none).
  private static let encoded: [(UInt8, UInt8)] = scalars.map { s in
    var bytes: [UInt8] = []
    UTF8Text.append(s, to: &bytes)
    return (bytes[0], bytes.count > 1 ? bytes[1] : 0)
  }

  private static let bytes: [Int16] = {
    var out = [Int16](repeating: -1, count: 0x144)
    for (b, s) in scalars.enumerated() { out[Int(s)] = Int16(b) }
    return out
  }()

  static func encode(_ text: ArraySlice<UInt8>, into out: inout [UInt8]) {
    let encoded = Self.encoded
    for b in text {
      let (first, second) = encoded[Int(b)]
      out.append(first)
      if second != 0 { out.append(second) }
    }
  }

  /// The bytes that `token` writes; nil when it holds a character that is not in the alphabet.
  static func decode(_ token: ArraySlice<UInt8>) -> [UInt8]? {
    let bytes = Self.bytes
    let text = Array(token)
    var out: [UInt8] = []
    out.reserveCapacity(text.count)
    var i = 0
    while i < text.count {
      let s = UTF8Text.scalar(text, at: i)
      guard s.value < UInt32(bytes.count), bytes[Int(s.value)] >= 0 else { return nil }
      out.append(UInt8(bytes[Int(s.value)]))
      i += s.length
    }
    return out
  }
}
