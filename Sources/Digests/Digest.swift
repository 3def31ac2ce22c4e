import Crypto

/// A SHA-256 digest (FIPS 180-4) that knows what it is the digest of.
///
/// `Digest<ModelManifest>` and `Digest<TokenSequence>` are different types: one cannot be passed
/// where the other is meant.
public struct Digest<Subject>: Hashable, Sendable, CustomStringConvertible {
  /// 32 bytes.
  public let bytes: [UInt8]

  /// - Returns: nil unless there are exactly 32 bytes.
  public init?(bytes: [UInt8]) {
    guard bytes.count == 32 else { return nil }
    self.bytes = bytes
  }

  /// - Returns: nil unless `hex` is 64 lower-case hex digits.
  public init?(hex: String) {
    guard let bytes = Hex.bytes(hex) else { return nil }
    self.init(bytes: bytes)
  }

  /// The digest of `content`.
  public init(of content: some Sequence<UInt8>) {
    var hasher = SHA256()
    hasher.update(data: Array(content))
    bytes = Array(hasher.finalize())
  }

  package init(unchecked bytes: [UInt8]) { self.bytes = bytes }

  public var hex: String { Hex.string(bytes) }
  public var description: String { "sha256:" + hex }

  /// Reads the form `sha256:<64 hex digits>`; nil for anything else.
  public init?(_ text: String) {
    guard text.utf8.starts(with: "sha256:".utf8) else { return nil }
    self.init(hex: String(decoding: text.utf8.dropFirst(7), as: UTF8.self))
  }
}

/// SHA-256 over pieces that arrive one after another.
public struct StreamingDigest<Subject>: Sendable {
  private var hasher = SHA256()
  public init() {}
  public mutating func update(_ bytes: [UInt8]) { hasher.update(data: bytes) }
  public mutating func update(_ bytes: UnsafeRawBufferPointer) { hasher.update(bufferPointer: bytes) }
  public func finalized() -> Digest<Subject> { Digest(unchecked: Array(hasher.finalize())) }
}
