import CGzip
import HTTPTypes

/// gzip (RFC 1952) for those who ask for it.
enum Gzip {
  /// - Returns: nil if memory is short.
  static func compressed(_ bytes: [UInt8]) -> [UInt8]? {
    let capacity = ev_gzip_bound(bytes.count)
    let out = [UInt8](unsafeUninitializedCapacity: capacity) { buffer, count in
      count = ev_gzip(bytes, bytes.count, buffer.baseAddress, capacity)
    }
    return out.isEmpty ? nil : out
  }

  /// Whether `Accept-Encoding` has gzip, and not with the weight 0 (RFC 9110, section 12.5.3).
  static func isAccepted(_ headers: HTTPFields) -> Bool {
    for field in headers[values: .acceptEncoding] {
      for coding in field.split(separator: ",") {
        let parts = coding.split(separator: ";").map { part in String(part.filter { $0 != " " && $0 != "\t" }) }
        guard let name = parts.first?.lowercased(), name == "gzip" || name == "x-gzip" else { continue }
        guard let weight = parts.dropFirst().first(where: { $0.hasPrefix("q=") }) else { return true }
        return weight.dropFirst(2).contains { ("1"..."9").contains($0) }
      }
    }
    return false
  }
}
