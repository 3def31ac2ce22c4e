/// One file of a repository, as the hub lists it.
public struct RemoteFile: Hashable, Sendable {
  /// Relative to the repository; ``isSafePath(_:)`` holds.
  public let path: String
  public let bytes: Int
  /// Nil only for files of a cache that does not say what they are.
  public let identity: ContentIdentity?

  public init(path: String, bytes: Int, identity: ContentIdentity?) {
    self.path = path
    self.bytes = bytes
    self.identity = identity
  }

  /// The last component.
  public var name: String { String(path.split(separator: "/").last ?? "") }

  /// No file of a model is larger.
  static let bytesMax = 1 << 44

  /// Whether a path from outside can be used below a folder without leaving it.
  static func isSafePath(_ path: String) -> Bool {
    let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
    return path.utf8.count <= 1024 && parts.count <= 6
      && parts.allSatisfy { part in
        !part.isEmpty && part.count <= 200 && !part.elementsEqual(".".utf8) && !part.elementsEqual("..".utf8)
          && part.allSatisfy { $0 >= 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\\") }
      }
  }

  /// A path in a URL (RFC 3986): everything but unreserved characters and slashes is escaped.
  package static func escaped(_ path: String, keepingSlashes: Bool = true) -> String {
    var out: [UInt8] = []
    let digits = Array("0123456789ABCDEF".utf8)
    for b in path.utf8 {
      if HubReference.isWord(b) || [0x2D, 0x2E, 0x7E].contains(b) || (keepingSlashes && b == 0x2F) {
        out.append(b)
      } else {
        out += [0x25, digits[Int(b >> 4)], digits[Int(b & 15)]]
      }
    }
    return String(decoding: out, as: UTF8.self)
  }
}
