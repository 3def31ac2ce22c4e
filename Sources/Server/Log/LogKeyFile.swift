import Crypto
import Digests
import Foundation
import ModelFiles
public import Transparency

/// The file of a log's secret key, `PRIVATE+KEY+name+keyID+key` and a newline, of mode 0600.
///
/// Trust: whoever can read it can sign other histories in the log's name; witnesses are there for that.
public enum LogKeyFile {
  private static let bytesMax = 1024

  /// The key in `path`, made first when the file does not exist.
  ///
  /// - Parameter origin: the log's name; nil for the one in the file, or a name made from the new key.
  public static func loadOrCreate(path: String, origin: String?) throws(LogKeyFailure) -> NoteSigner {
    if let bytes = try read(path) { return try signer(bytes, path: path, origin: origin) }
    let text = try newKey(origin: origin)
    do { try SecretFile.create(path, Array((text + "\n").utf8)) } catch { throw LogKeyFailure(path, error) }
    // Another process may have been faster.
    guard let bytes = try read(path) else { throw .unreadable(path: path, reason: "it is gone") }
    return try signer(bytes, path: path, origin: origin)
  }

  private static func read(_ path: String) throws(LogKeyFailure) -> [UInt8]? {
    do { return try SecretFile.read(path, bytesMax: bytesMax) } catch { throw LogKeyFailure(path, error) }
  }

  private static func signer(_ bytes: [UInt8], path: String, origin: String?) throws(LogKeyFailure) -> NoteSigner {
    guard bytes.last == UInt8(ascii: "\n") else { throw .notAKey(path: path, reason: "it does not end in a newline") }
    let signer: NoteSigner
    do { signer = try NoteSigner(parsing: bytes.dropLast()) } catch {
      throw .notAKey(path: path, reason: error.description)
    }
    if let origin, ByteText(origin) != signer.verifierKey.name {
      throw .otherOrigin(path: path, found: signer.verifierKey.name.description, wanted: origin)
    }
    return signer
  }

  private static func newKey(origin: String?) throws(LogKeyFailure) -> String {
    let key = Curve25519.Signing.PrivateKey()
    let name = origin ?? "evident.local/log/" + Hex.string(Array(key.publicKey.rawRepresentation.prefix(4)))
    do { return try NoteSigner.secretKeyText(name: ByteText(name), seed: Array(key.rawRepresentation)) } catch {
      throw .name(name, reason: error.description)
    }
  }
}

/// Why a log's key cannot be used, and what to do.
public enum LogKeyFailure: Error, Sendable, CustomStringConvertible {
  case unreadable(path: String, reason: String)
  case notAKey(path: String, reason: String)
  case exposed(path: String, mode: String)
  case otherOrigin(path: String, found: String, wanted: String)
  case name(String, reason: String)

  init(_ path: String, _ failure: SecretFile.Failure) {
    self =
      switch failure {
      case .system(let operation, let reason): .unreadable(path: path, reason: "\(operation): \(reason)")
      case .exposed(let mode): .exposed(path: path, mode: mode)
      case .tooLong(let count): .notAKey(path: path, reason: "it is longer than \(count) bytes")
      }
  }

  public var description: String {
    switch self {
    case .unreadable(let path, let reason):
      "the log's key \(path) cannot be used: \(reason)\nhint: check the disk and the folder's permissions"
    case .notAKey(let path, let reason):
      "\(path) is not a log's key: \(reason); move it away to let a new one be made, or restore it from a backup"
    case .exposed(let path, let mode):
      "the log's key \(path) can be read by others (mode \(mode)); run: chmod 600 \(path)"
    case .otherOrigin(let path, let found, let wanted):
      "the log's key \(path) is that of \(found), not of \(wanted); leave the origin away, or name another key file "
        + "(EVIDENT_LOG_KEY, or --key of evident log)"
    case .name(let name, let reason): "\"\(name)\" cannot be a log's origin: \(reason)"
    }
  }
}
