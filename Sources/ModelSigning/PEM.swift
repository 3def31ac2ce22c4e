import Digests

/// Base64 between two marker lines (RFC 7468).
enum PEM {
  /// The first block in `text` that has one of these labels; what stands around it does not matter.
  ///
  /// - Returns: nil when there is none, or when it is not base64 in its one spelling.
  static func block(_ labels: [String], in text: [UInt8]) -> (label: String, der: [UInt8])? {
    let lines = text.split { $0 == 0x0A || $0 == 0x0D }.map { line in
      String(decoding: line, as: UTF8.self)
    }
    for (i, line) in lines.enumerated() {
      guard let label = labels.first(where: { line == "-----BEGIN \($0)-----" }) else { continue }
      let body = lines[(i + 1)...].prefix { $0 != "-----END \(label)-----" }
      guard body.endIndex < lines.endIndex, let der = Base64.bytes(body.joined()) else { return nil }
      return (label, der)
    }
    return nil
  }

  /// Lines of 64 digits, each ended by a line feed: the form that fingerprints are taken of.
  static func text(_ label: String, _ der: [UInt8]) -> String {
    let digits = Array(Base64.string(der).utf8)
    var out = "-----BEGIN \(label)-----\n"
    for start in stride(from: 0, to: digits.count, by: 64) {
      out += String(decoding: digits[start..<min(start + 64, digits.count)], as: UTF8.self) + "\n"
    }
    return out + "-----END \(label)-----\n"
  }
}
