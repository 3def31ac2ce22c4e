/// Base64 in its one spelling: the standard alphabet, padded (RFC 4648, section 4).
package enum Base64 {
  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  private static let values: [UInt8] = {
    var table = [UInt8](repeating: 0xFF, count: 256)
    for (i, c) in alphabet.enumerated() { table[Int(c)] = UInt8(i) }
    return table
  }()

  package static func string(_ bytes: [UInt8]) -> String {
    var out: [UInt8] = []
    out.reserveCapacity((bytes.count + 2) / 3 * 4)
    for i in stride(from: 0, to: bytes.count, by: 3) {
      let left = bytes.count - i
      let b1 = left > 1 ? bytes[i + 1] : 0
      let b2 = left > 2 ? bytes[i + 2] : 0
      out.append(alphabet[Int(bytes[i] >> 2)])
      out.append(alphabet[Int((bytes[i] & 3) << 4 | b1 >> 4)])
      out.append(left > 1 ? alphabet[Int((b1 & 15) << 2 | b2 >> 6)] : UInt8(ascii: "="))
      out.append(left > 2 ? alphabet[Int(b2 & 63)] : UInt8(ascii: "="))
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// The bytes of `text`; nil unless it is exactly what ``string(_:)`` writes for them: no white
  /// space, no missing padding, no stray bits under the padding.
  package static func bytes(_ text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count % 4 == 0 else { return nil }
    var out: [UInt8] = []
    out.reserveCapacity(digits.count / 4 * 3)
    for i in stride(from: 0, to: digits.count, by: 4) {
      let last = i + 4 == digits.count
      let pad = !last || digits[i + 3] != UInt8(ascii: "=") ? 0 : digits[i + 2] == UInt8(ascii: "=") ? 2 : 1
      var group: UInt32 = 0
      for j in 0..<4 {
        let value = j >= 4 - pad ? 0 : values[Int(digits[i + j])]
        guard value != 0xFF else { return nil }
        group = group << 6 | UInt32(value)
      }
      if pad == 1 && group & 0xFF != 0 || pad == 2 && group & 0xFFFF != 0 { return nil }
      out.append(UInt8(truncatingIfNeeded: group >> 16))
      if pad < 2 { out.append(UInt8(truncatingIfNeeded: group >> 8)) }
      if pad < 1 { out.append(UInt8(truncatingIfNeeded: group)) }
    }
    return out
  }
}
