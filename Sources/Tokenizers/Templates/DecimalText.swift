/// Numbers that are not integers, as text.
enum DecimalText {
  /// Sign, significant digits without zeros at either end, and the power of ten of the first digit.
  private struct Parts {
    var isNegative = false
    var digits: [UInt8] = []
    var exponent = 0
  }

  private static func parts(_ text: String) -> Parts? {
    var parts = Parts()
    var point: Int?
    var bytes = Array(text.utf8)[...]
    if bytes.first == UInt8(ascii: "-") {
      parts.isNegative = true
      bytes.removeFirst()
    }
    var exponent = 0
    while let c = bytes.popFirst() {
      if c == UInt8(ascii: ".") {
        point = parts.digits.count
      } else if c | 0x20 == UInt8(ascii: "e") {
        guard let e = Int(String(decoding: bytes, as: UTF8.self)), (-100_000...100_000).contains(e) else { return nil }
        exponent = e
        break
      } else {
        guard PythonText.isDigit(c) else { return nil }
        parts.digits.append(c)
      }
    }
    exponent += (point ?? parts.digits.count) - 1
    while parts.digits.first == UInt8(ascii: "0") {
      parts.digits.removeFirst()
      exponent -= 1
    }
    while parts.digits.last == UInt8(ascii: "0") { parts.digits.removeLast() }
    parts.exponent = parts.digits.isEmpty ? 0 : exponent
    return parts
  }

  /// What Python prints for the float written as `text`. Up to fifteen digits survive a double, so they are
  /// laid out as Python does; beyond that the text is kept as it is.
  static func pythonRepresentation(_ text: String) -> String {
    guard let p = parts(text), p.digits.count <= 17, abs(p.exponent) < 300 else { return text }
    let sign = p.isNegative ? "-" : ""
    let digits = String(decoding: p.digits, as: UTF8.self)
    if digits.isEmpty { return sign + "0.0" }
    if p.exponent < -4 || p.exponent >= 16 {
      let mantissa = digits.utf8.count > 1 ? "\(digits.prefix(1)).\(digits.dropFirst())" : digits
      let power = String(abs(p.exponent))
      return "\(sign)\(mantissa)e\(p.exponent < 0 ? "-" : "+")\(power.utf8.count < 2 ? "0" : "")\(power)"
    }
    if p.exponent < 0 { return sign + "0." + String(repeating: "0", count: -p.exponent - 1) + digits }
    let whole = p.exponent + 1
    if digits.utf8.count <= whole {
      return sign + digits + String(repeating: "0", count: whole - digits.utf8.count) + ".0"
    }
    return "\(sign)\(digits.prefix(whole)).\(digits.dropFirst(whole))"
  }

  /// −1, 0 or 1; nil when one of them is no decimal number.
  static func compare(_ a: String, _ b: String) -> Int? {
    guard let x = parts(a), let y = parts(b) else { return nil }
    let xSign = x.digits.isEmpty ? 0 : x.isNegative ? -1 : 1
    let ySign = y.digits.isEmpty ? 0 : y.isNegative ? -1 : 1
    if xSign != ySign { return xSign < ySign ? -1 : 1 }
    if xSign == 0 { return 0 }
    var order = 0
    if x.exponent != y.exponent {
      order = x.exponent < y.exponent ? -1 : 1
    } else if x.digits != y.digits {
      order = x.digits.lexicographicallyPrecedes(y.digits) ? -1 : 1
    }
    return xSign * order
  }
}
