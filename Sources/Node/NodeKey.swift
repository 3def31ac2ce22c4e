import Crypto
import Digests
import ModelFiles
public import Receipts

/// Why a node key cannot be used, and what to do.
public enum NodeKeyFailure: Error, CustomStringConvertible {
  case unreadable(path: String, reason: String)
  case notAKey(path: String)
  case exposed(path: String, mode: String)

  public var description: String {
    switch self {
    case .unreadable(let path, let reason):
      "the node key \(path) cannot be used: \(reason)\nhint: check the disk and the folder's permissions, or keep the "
        + "state elsewhere with EVIDENT_STATE"
    case .notAKey(let path):
      "\(path) is not a node key; move it away to let a new one be made, or restore the file from a backup"
    case .exposed(let path, let mode):
      "the node key \(path) can be read by others (mode \(mode)); run: chmod 600 \(path)"
    }
  }
}

/// The Ed25519 key that signs a node's statements, kept in a file of mode 0600.
///
/// Trust: whoever can read the file can sign in this node's name, and nothing else. It holds 64 hex
/// digits (the RFC 8032 seed) and a newline.
public struct NodeKey: Sendable {
  public let signing: NodeSigningKey
  public let path: String

  /// The key in `path`, made first when the file does not exist.
  public static func loadOrCreate(path: String) throws -> NodeKey {
    do throws(SecretFile.Failure) {
      var bytes = try SecretFile.read(path, bytesMax: 65)
      if bytes == nil {
        try SecretFile.create(path, Array((Hex.string(Curve25519.Signing.PrivateKey().rawRepresentation) + "\n").utf8))
        bytes = try SecretFile.read(path, bytesMax: 65)
      }
      guard let bytes, let key = signingKey(bytes) else { throw SecretFile.Failure.tooLong(bytesMax: 65) }
      return NodeKey(signing: key, path: path)
    } catch {
      switch error {
      case .system(let operation, let reason):
        throw NodeKeyFailure.unreadable(path: path, reason: "\(operation): \(reason)")
      case .exposed(let mode): throw NodeKeyFailure.exposed(path: path, mode: mode)
      case .tooLong: throw NodeKeyFailure.notAKey(path: path)
      }
    }
  }

  private static func signingKey(_ bytes: [UInt8]) -> NodeSigningKey? {
    guard bytes.count == 65, bytes[64] == UInt8(ascii: "\n") else { return nil }
    return Hex.bytes(String(decoding: bytes[..<64], as: UTF8.self)).flatMap(NodeSigningKey.init(seed:))
  }
}
