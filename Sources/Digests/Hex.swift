/// Lower-case hexadecimal, the only form digests are written in.
public enum Hex {
  public static func string(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var out: [UInt8] = []
    for b in bytes {
      out.append(digits[Int(b >> 4)])
      out.append(digits[Int(b & 15)])
    }
    return String(decoding: out, as: UTF8.self)
  }

  /// The bytes of lower-case hex; nil for anything else, upper case included, so that every byte
  /// string has exactly one spelling.
  public static func bytes(_ text: String) -> [UInt8]? {
    let digits = Array(text.utf8)
    guard digits.count % 2 == 0 else { return nil }
    var out: [UInt8] = []
    out.reserveCapacity(digits.count / 2)
    for i in stride(from: 0, to: digits.count, by: 2) {
      guard let high = lowerValue(digits[i]), let low = lowerValue(digits[i + 1]) else { return nil }
      out.append(high << 4 | low)
    }
    return out
  }

  private static func lowerValue(_ c: UInt8) -> UInt8? {
    c >= UInt8(ascii: "A") && c <= UInt8(ascii: "F") ? nil : value(c)
  }

  /// The value of one hex digit of either case.
  static func value(_ c: UInt8) -> UInt8? {
    switch c {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): c - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): c - UInt8(ascii: "a") + 10
    case UInt8(ascii: "A")...UInt8(ascii: "F"): c - UInt8(ascii: "A") + 10
    default: nil
    }
  }
}
