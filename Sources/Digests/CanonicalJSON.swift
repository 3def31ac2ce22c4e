/// A value that canonical JSON cannot hold.
public enum CanonicalJSONError: Error, Equatable, Sendable {
  /// Statements and manifests hold integers only, so that no two readers round differently.
  case notAnInteger(String)
  /// RFC 8785 numbers are IEEE doubles: beyond ±(2^53 − 1) an integer is not exact for every reader.
  case integerTooLarge(String)
}

extension JSON {
  /// The canonical bytes of this value (RFC 8785, restricted to exact integers).
  ///
  /// - Throws: ``CanonicalJSONError`` for a fraction or an integer outside ±(2^53 − 1).
  public func canonicalBytes() throws(CanonicalJSONError) -> [UInt8] {
    var out: [UInt8] = []
    try write(to: &out)
    return out
  }

  /// Whether `bytes` are exactly the canonical form of the value they hold.
  public static func isCanonical(_ bytes: [UInt8], _ value: JSON) -> Bool {
    (try? value.canonicalBytes()) == bytes
  }

  private func write(to out: inout [UInt8]) throws(CanonicalJSONError) {
    switch self {
    case .null: out.append(contentsOf: "null".utf8)
    case .bool(let b): out.append(contentsOf: (b ? "true" : "false").utf8)
    case .number(let n):
      guard let value = n.integer else { throw .notAnInteger(n.text) }
      guard value.magnitude < 1 << 53 else { throw .integerTooLarge(n.text) }
      out.append(contentsOf: String(value).utf8)
    case .string(let s): JSON.writeString(s, to: &out)
    case .array(let items):
      out.append(UInt8(ascii: "["))
      for (i, item) in items.enumerated() {
        if i > 0 { out.append(UInt8(ascii: ",")) }
        try item.write(to: &out)
      }
      out.append(UInt8(ascii: "]"))
    case .object(let object):
      out.append(UInt8(ascii: "{"))
      let sorted = JSON.sorted(object.members)
      for (i, member) in sorted.enumerated() {
        if i > 0 { out.append(UInt8(ascii: ",")) }
        JSON.writeString(member.key, to: &out)
        out.append(UInt8(ascii: ":"))
        try member.value.write(to: &out)
      }
      out.append(UInt8(ascii: "}"))
    }
  }

  /// RFC 8785, section 3.2.3: by UTF-16 code units. That is the order of the bytes unless there are surrogates.
  private static func sorted(_ members: [(key: String, value: JSON)]) -> [(key: String, value: JSON)] {
    if members.contains(where: { $0.key.utf8.contains { $0 >= 0xF0 } }) {
      members.sorted { $0.key.utf16.lexicographicallyPrecedes($1.key.utf16) }
    } else {
      members.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    }
  }

  /// RFC 8785, section 3.2.2.2: the shortest escapes, everything else as UTF-8.
  static func writeString(_ s: String, to out: inout [UInt8]) {
    let bytes = Array(s.utf8)
    var written = 0
    out.append(UInt8(ascii: "\""))
    // Most strings have nothing to escape and are copied whole.
    for (i, b) in bytes.enumerated() where b < 0x20 || b == 0x22 || b == 0x5C {
      out.append(contentsOf: bytes[written..<i])
      out.append(contentsOf: escape(b))
      written = i + 1
    }
    out.append(contentsOf: bytes[written...])
    out.append(UInt8(ascii: "\""))
  }

  private static func escape(_ byte: UInt8) -> [UInt8] {
    switch byte {
    case 0x08: Array("\\b".utf8)
    case 0x09: Array("\\t".utf8)
    case 0x0A: Array("\\n".utf8)
    case 0x0C: Array("\\f".utf8)
    case 0x0D: Array("\\r".utf8)
    case 0..<0x20: Array("\\u00".utf8) + Array(Hex.string([byte]).utf8)
    default: [0x5C, byte]
    }
  }

  /// Compact JSON in member order, numbers as written: for output that people and programs read,
  /// where nothing is hashed.
  public func text() -> String {
    var out: [UInt8] = []
    writeLoosely(to: &out)
    return String(decoding: out, as: UTF8.self)
  }

  private func writeLoosely(to out: inout [UInt8]) {
    switch self {
    case .null: out.append(contentsOf: "null".utf8)
    case .bool(let b): out.append(contentsOf: (b ? "true" : "false").utf8)
    case .number(let n): out.append(contentsOf: n.text.utf8)
    case .string(let s): JSON.writeString(s, to: &out)
    case .array(let items):
      out.append(UInt8(ascii: "["))
      for (i, item) in items.enumerated() {
        if i > 0 { out.append(UInt8(ascii: ",")) }
        item.writeLoosely(to: &out)
      }
      out.append(UInt8(ascii: "]"))
    case .object(let object):
      out.append(UInt8(ascii: "{"))
      for (i, member) in object.members.enumerated() {
        if i > 0 { out.append(UInt8(ascii: ",")) }
        JSON.writeString(member.key, to: &out)
        out.append(UInt8(ascii: ":"))
        member.value.writeLoosely(to: &out)
      }
      out.append(UInt8(ascii: "}"))
    }
  }
}
