/// Text that is compared byte by byte.
///
/// Key names, origins and names of a policy are octet strings: two spellings that Unicode calls equal are
/// two names, and Swift's `String` would take one for the other.
public struct ByteText: Hashable, Sendable, CustomStringConvertible, ExpressibleByStringLiteral {
  public let bytes: [UInt8]

  public init(_ bytes: some Sequence<UInt8>) { self.bytes = Array(bytes) }
  public init(_ text: String) { bytes = Array(text.utf8) }
  public init(stringLiteral value: String) { self.init(value) }

  /// Exactly these bytes, if they are UTF-8.
  public var string: String { String(decoding: bytes, as: UTF8.self) }
  /// For people: bytes that are not UTF-8, and control characters, are shown as replacements.
  public var description: String { ByteText.shown(bytes, bytesMax: 255) }

  /// At most `bytesMax` bytes of `bytes`, fit for one line of a message.
  static func shown(_ bytes: some Collection<UInt8>, bytesMax: Int = 120) -> String {
    let text = String(
      decoding: bytes.prefix(bytesMax).map { $0 < 0x20 || $0 == 0x7F ? UInt8(ascii: "?") : $0 }, as: UTF8.self)
    return bytes.count > bytesMax ? text + "…" : text
  }
}

extension [UInt8] {
  /// Whether these bytes are UTF-8 (RFC 3629).
  var isUTF8: Bool { String(validating: self, as: UTF8.self) != nil }
}
