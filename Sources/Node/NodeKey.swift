public import Crypto
import Foundation
import Digests

/// Why a node key cannot be used, and what to do.
public enum NodeKeyFailure: Error, CustomStringConvertible {
  case unreadable(path: String, reason: String)
  case notAKey(path: String)
  case exposed(path: String, mode: String)

  public var description: String {
    switch self {
    case .unreadable(let path, let reason): "the node key \(path) cannot be used: \(reason)"
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
  public let signing: Curve25519.Signing.PrivateKey
  public let path: String

  public var publicKeyHex: String { Hex.string(signing.publicKey.rawRepresentation) }

  /// The key in `path`, made first when the file does not exist.
  public static func loadOrCreate(path: String) throws -> NodeKey {
    let fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    if fd >= 0 {
      defer { close(fd) }
      return try load(path: path, descriptor: fd)
    }
    guard errno == ENOENT else { throw NodeKeyFailure.unreadable(path: path, reason: String(cString: strerror(errno))) }
    try create(path: path)
    let made = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard made >= 0 else { throw NodeKeyFailure.unreadable(path: path, reason: String(cString: strerror(errno))) }
    defer { close(made) }
    return try load(path: path, descriptor: made)
  }

  private static func load(path: String, descriptor fd: Int32) throws -> NodeKey {
    var status = stat()
    guard fstat(fd, &status) == 0 else {
      throw NodeKeyFailure.unreadable(path: path, reason: String(cString: strerror(errno)))
    }
    guard status.st_mode & 0o077 == 0 else {
      throw NodeKeyFailure.exposed(path: path, mode: String(status.st_mode & 0o777, radix: 8))
    }
    var bytes = [UInt8](repeating: 0, count: 66)
    let n = read(fd, &bytes, bytes.count)
    guard n == 65, bytes[64] == UInt8(ascii: "\n"),
      let seed = Hex.bytes(String(decoding: bytes[..<64], as: UTF8.self)),
      let key = try? Curve25519.Signing.PrivateKey(rawRepresentation: seed)
    else { throw NodeKeyFailure.notAKey(path: path) }
    return NodeKey(signing: key, path: path)
  }

  /// Writes beside, syncs, then links into place: two processes that start at once agree on one key.
  private static func create(path: String) throws {
    let folder = (path as NSString).deletingLastPathComponent
    try FileManager.default.createDirectory(
      atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    let temporary = "\(path).\(getpid()).new"
    func fail(_ what: String) -> NodeKeyFailure {
      .unreadable(path: path, reason: "\(what): \(String(cString: strerror(errno)))")
    }
    unlink(temporary)
    let fd = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard fd >= 0 else { throw fail("cannot create") }
    defer {
      close(fd)
      unlink(temporary)
    }
    let text = Array((Hex.string(Curve25519.Signing.PrivateKey().rawRepresentation) + "\n").utf8)
    guard write(fd, text, text.count) == text.count else { throw fail("cannot write") }
    guard fsync(fd) == 0 else { throw fail("cannot sync") }
    guard link(temporary, path) == 0 || errno == EEXIST else { throw fail("cannot put in place") }
    let directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    if directory >= 0 {
      fsync(directory)
      close(directory)
    }
  }
}
