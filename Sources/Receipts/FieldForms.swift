import Digests

// The forms of member that statements and evidence files are made of.
extension JSONFields {
  /// `sha256:` and 64 hex digits.
  mutating func digest<Subject>(
    _ key: String, of _: Subject.Type = Subject.self
  ) throws(FieldError) -> Digest<Subject> {
    let text = try string(key, bytesMax: 200)
    guard let digest = Digest<Subject>(text) else {
      throw .notAllowed(path: path(of: key), value: text, wanted: "sha256: and 64 lower-case hex digits")
    }
    return digest
  }

  /// Lower-case hex of `count` bytes.
  mutating func hex(_ key: String, count: ClosedRange<Int>) throws(FieldError) -> [UInt8] {
    let text = try string(key, bytesMax: 200)
    guard let bytes = Hex.bytes(text), count.contains(bytes.count) else {
      let wanted =
        count.lowerBound == count.upperBound ? "\(count.lowerBound)" : "\(count.lowerBound) to \(count.upperBound)"
      throw .notAllowed(path: path(of: key), value: text, wanted: "lower-case hex of \(wanted) bytes")
    }
    return bytes
  }

  /// 1 to 128 ASCII letters, digits, `-`, `_`, `.` and `:`.
  mutating func identifier(_ key: String) throws(FieldError) -> String {
    let text = try string(key, bytesMax: 200)
    let allowed = text.utf8.allSatisfy { c in
      (0x30...0x3A).contains(c) || (0x41...0x5A).contains(c) || (0x61...0x7A).contains(c)
        || c == UInt8(ascii: "-") || c == UInt8(ascii: "_") || c == UInt8(ascii: ".")
    }
    guard allowed && (1...128).contains(text.utf8.count) else {
      throw .notAllowed(path: path(of: key), value: text, wanted: "1 to 128 letters, digits and -_.:")
    }
    return text
  }

  /// A time to the second in UTC, as RFC 3339 writes it: `2026-01-31T23:59:59Z`.
  mutating func time(_ key: String) throws(FieldError) -> String {
    let text = try string(key, bytesMax: 200)
    guard JSONFields.isTime(text) else {
      throw .notAllowed(path: path(of: key), value: text, wanted: "a UTC time such as 2026-01-31T23:59:59Z")
    }
    return text
  }

  mutating func null(_ key: String) throws(FieldError) {
    let value = try take(key)
    guard value.isNull else { throw .wrongType(path: path(of: key), wanted: "null", found: value.kind) }
  }

  mutating func salt(_ key: String) throws(FieldError) -> Salt {
    guard let salt = Salt(try hex(key, count: 32...32)) else { preconditionFailure("32 bytes were checked") }
    return salt
  }

  mutating func tokens(_ key: String) throws(FieldError) -> [Int32] {
    try JSONFields.tokens(try take(key), path: path(of: key))
  }

  /// An array of token ids.
  static func tokens(_ value: JSON, path: String) throws(FieldError) -> [Int32] {
    guard let items = value.array else { throw .wrongType(path: path, wanted: "an array", found: value.kind) }
    let countMax = EvidenceLimits.tokensMax
    guard items.count <= countMax else {
      throw .outOfRange(path: path + ".count", value: items.count, range: 0...countMax)
    }
    var out: [Int32] = []
    out.reserveCapacity(items.count)
    for (i, item) in items.enumerated() {
      let token = try JSONFields.integer(item, path: "\(path)[\(i)]", 0...(1 << 20 - 1))
      out.append(Int32(truncatingIfNeeded: token))
    }
    return out
  }

  private static func isTime(_ text: String) -> Bool {
    let form = Array("0000-00-00T00:00:00Z".utf8)
    let bytes = Array(text.utf8)
    guard bytes.count == form.count else { return false }
    for (b, f) in zip(bytes, form) where f == 0x30 ? !(0x30...0x39).contains(b) : b != f { return false }
    func number(_ range: Range<Int>) -> Int { bytes[range].reduce(0) { $0 * 10 + Int($1 - 0x30) } }
    let year = number(0..<4)
    let month = number(5..<7)
    guard (1...12).contains(month) else { return false }
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    let days = [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
    return (1...days[month - 1]).contains(number(8..<10))
      && number(11..<13) < 24 && number(14..<16) < 60 && number(17..<19) < 60
  }
}
