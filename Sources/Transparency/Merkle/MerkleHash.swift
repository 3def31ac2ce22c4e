import struct Crypto.SHA256
import Digests

/// A node of a Merkle tree: 32 bytes, held in place rather than on the heap, for trees of many.
///
/// Source: RFC 6962, section 2.1.
public struct MerkleHash: Hashable, Sendable, CustomStringConvertible {
  /// The number of bytes.
  public static let byteCount = 32
  // The bytes in order, whatever the machine's byte order is.
  private let words: Words

  // Not SIMD4: that is aligned to 32 bytes, asynchronous frames of Swift 6.3 to 16, and those that hold one overrun.
  private struct Words: Hashable, BitwiseCopyable {
    var (a, b, c, d) = (UInt64(0), UInt64(0), UInt64(0), UInt64(0))
  }

  /// - Returns: nil unless there are exactly 32 bytes.
  public init?(bytes: some Collection<UInt8>) {
    guard bytes.count == MerkleHash.byteCount else { return nil }
    var words = Words()
    withUnsafeMutableBytes(of: &words) { $0.copyBytes(from: bytes) }
    self.words = words
  }

  /// - Returns: nil unless `base64` is the padded base64 of 32 bytes.
  public init?(base64: some Collection<UInt8>) {
    guard base64.count == 44, let bytes = Base64.bytes(String(decoding: base64, as: UTF8.self)) else { return nil }
    self.init(bytes: bytes)
  }

  private init(_ hasher: consuming SHA256) {
    var words = Words()
    withUnsafeMutableBytes(of: &words) { target in
      for (i, byte) in hasher.finalize().enumerated() { target[i] = byte }
    }
    self.words = words
  }

  /// SHA-256(0x00 ‖ entry).
  public static func leaf(_ entry: some Sequence<UInt8>) -> MerkleHash {
    var hasher = SHA256()
    hasher.update(data: [0] + Array(entry))
    return MerkleHash(hasher)
  }

  /// SHA-256(0x01 ‖ left ‖ right).
  public static func node(_ left: MerkleHash, _ right: MerkleHash) -> MerkleHash {
    withUnsafeTemporaryAllocation(byteCount: 65, alignment: 8) { block in
      block[0] = 1
      left.withBytes { UnsafeMutableRawBufferPointer(rebasing: block[1..<33]).copyMemory(from: $0) }
      right.withBytes { UnsafeMutableRawBufferPointer(rebasing: block[33...]).copyMemory(from: $0) }
      var hasher = SHA256()
      hasher.update(bufferPointer: UnsafeRawBufferPointer(block))
      return MerkleHash(hasher)
    }
  }

  /// The root of the tree without leaves: SHA-256 of nothing.
  public static let emptyRoot = MerkleHash(SHA256())

  public var bytes: [UInt8] { withBytes { Array($0) } }
  /// 44 characters with padding.
  public var base64: String { Base64.string(bytes) }
  public var description: String { base64 }

  private func withBytes<T>(_ body: (UnsafeRawBufferPointer) -> T) -> T { withUnsafeBytes(of: words, body) }
}
