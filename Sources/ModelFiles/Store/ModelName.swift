/// A name under which the store keeps a model: `smollm2`, `smollm2:135m`.
///
/// Lower-case letters, digits, `.`, `_` and `-`, starting with a letter or digit, at most 128 bytes; then
/// optionally `:` and a variant of at most 64 bytes by the same rule. Such a name is also a safe file name.
public struct ModelName: Hashable, Sendable, Comparable, CustomStringConvertible {
  public let text: String

  /// - Throws: ``StoreRejection/invalidName(_:problem:)``.
  public init(_ text: String) throws(StoreRejection) {
    let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
    guard parts.count <= 2 else { throw .invalidName(text, problem: "it has more than one colon") }
    for (i, part) in parts.enumerated() {
      let what = i == 0 ? "the name" : "the part after the colon"
      guard let first = part.first else { throw .invalidName(text, problem: "\(what) is empty") }
      guard part.count <= (i == 0 ? 128 : 64) else { throw .invalidName(text, problem: "\(what) is too long") }
      guard ModelName.isAlphanumeric(first) else {
        throw .invalidName(text, problem: "\(what) must start with a lower-case letter or a digit")
      }
      guard part.allSatisfy({ ModelName.isAlphanumeric($0) || [0x2D, 0x2E, 0x5F].contains($0) }) else {
        throw .invalidName(text, problem: "\(what) may hold only a-z, 0-9, '.', '_' and '-'")
      }
    }
    self.text = text
  }

  private static func isAlphanumeric(_ b: UInt8) -> Bool { (0x61...0x7A).contains(b) || (0x30...0x39).contains(b) }

  public var description: String { text }
  public static func < (a: ModelName, b: ModelName) -> Bool { FileSystem.precedes(a.text, b.text) }
}
