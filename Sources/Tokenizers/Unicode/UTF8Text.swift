/// Reading scalars out of text that has been validated as UTF-8.
enum UTF8Text {
  /// The bytes when they are UTF-8; otherwise with each maximal invalid part as U+FFFD.
  static func repaired(_ bytes: [UInt8]) -> [UInt8] {
    if isASCII(bytes) || String(validating: bytes, as: UTF8.self) != nil { return bytes }
    return Array(String(decoding: bytes, as: UTF8.self).utf8)
  }

  static func isASCII(_ bytes: [UInt8]) -> Bool { bytes.allSatisfy { $0 < 0x80 } }

  /// The scalar that starts at `index`, and its length in bytes.
  @inline(__always)
  static func scalar(_ text: [UInt8], at index: Int) -> (value: UInt32, length: Int) {
    let b0 = UInt32(text[index])
    if b0 < 0x80 { return (b0, 1) }
    if b0 < 0xE0 { return ((b0 & 0x1F) << 6 | continuation(text, index + 1), 2) }
    if b0 < 0xF0 {
      return ((b0 & 0x0F) << 12 | continuation(text, index + 1) << 6 | continuation(text, index + 2), 3)
    }
    return (
      (b0 & 0x07) << 18 | continuation(text, index + 1) << 12 | continuation(text, index + 2) << 6
        | continuation(text, index + 3), 4
    )
  }

  @inline(__always)
  private static func continuation(_ text: [UInt8], _ index: Int) -> UInt32 { UInt32(text[index] & 0x3F) }

  /// The index where the scalar that ends just before `index` starts.
  @inline(__always)
  static func index(before index: Int, in text: [UInt8]) -> Int {
    var i = index - 1
    while i > 0 && text[i] & 0xC0 == 0x80 { i -= 1 }
    return i
  }

  static func append(_ scalar: UInt32, to bytes: inout [UInt8]) {
    switch scalar {
    case ..<0x80: bytes.append(UInt8(scalar))
    case ..<0x800:
      bytes.append(UInt8(0xC0 | scalar >> 6))
      bytes.append(UInt8(0x80 | scalar & 0x3F))
    case ..<0x10000:
      bytes.append(UInt8(0xE0 | scalar >> 12))
      bytes.append(UInt8(0x80 | scalar >> 6 & 0x3F))
      bytes.append(UInt8(0x80 | scalar & 0x3F))
    default:
      bytes.append(UInt8(0xF0 | scalar >> 18 & 0x07))
      bytes.append(UInt8(0x80 | scalar >> 12 & 0x3F))
      bytes.append(UInt8(0x80 | scalar >> 6 & 0x3F))
      bytes.append(UInt8(0x80 | scalar & 0x3F))
    }
  }

  static func scalars(_ text: [UInt8]) -> [UInt32] {
    var out: [UInt32] = []
    out.reserveCapacity(text.count)
    var i = 0
    while i < text.count {
      let s = scalar(text, at: i)
      out.append(s.value)
      i += s.length
    }
    return out
  }
}
