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
    guard UTCTime.seconds(text) != nil else {
      throw .notAllowed(path: path(of: key), value: text, wanted: "a UTC time such as 2026-01-31T23:59:59Z")
    }
    return text
  }

  /// A node's public key, in hex.
  mutating func publicKey(_ key: String) throws(FieldError) -> NodePublicKey {
    let bytes = try hex(key, count: 32...32)
    guard let publicKey = NodePublicKey(bytes: bytes) else {
      throw .notAllowed(
        path: path(of: key), value: Hex.string(bytes), wanted: "a key that is not of small order")
    }
    return publicKey
  }

  /// Padded base64 of exactly `count` bytes.
  mutating func base64(_ key: String, count: Int) throws(FieldError) -> [UInt8] {
    let bytes = try base64(key, bytesMax: count)
    guard bytes.count == count else {
      throw .outOfRange(path: path(of: key) + ".bytes", value: bytes.count, range: count...count)
    }
    return bytes
  }

  mutating func base64(_ key: String, bytesMax: Int) throws(FieldError) -> [UInt8] {
    let text = try string(key, bytesMax: (bytesMax + 2) / 3 * 4)
    guard let bytes = Base64.bytes(text) else {
      throw .notAllowed(
        path: path(of: key), value: String(text.prefix(40)), wanted: "padded base64 in its one spelling")
    }
    guard bytes.count <= bytesMax else {
      throw .outOfRange(path: path(of: key) + ".bytes", value: bytes.count, range: 0...bytesMax)
    }
    return bytes
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
}
