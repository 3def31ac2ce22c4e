import Crypto
import Digests
import ModelFiles

/// How a hub names a file's content, which is also how it is checked.
public enum ContentIdentity: Hashable, Sendable, CustomStringConvertible {
  /// Large files (Git LFS): SHA-256 of the bytes, in hex.
  case sha256(String)
  /// Small files: the id of the git blob, SHA-1 over "blob <size>\0" and the bytes. It shows a damaged file;
  /// against a hub that lies only the model's own digest helps.
  case gitBlob(String)

  /// Reads 64 or 40 hex digits; nil for anything else.
  public init?(hex: String) {
    guard let bytes = Hex.bytes(hex) else { return nil }
    switch bytes.count {
    case 32: self = .sha256(hex)
    case 20: self = .gitBlob(hex)
    default: return nil
    }
  }

  public var hex: String {
    switch self {
    case .sha256(let hex), .gitBlob(let hex): hex
    }
  }

  public var description: String {
    switch self {
    case .sha256(let hex): "sha256:\(hex)"
    case .gitBlob(let hex): "git-sha1:\(hex)"
    }
  }

  /// The identity, of the same kind, that a file's content really has.
  ///
  /// - Throws: `FileFailure`, `CancellationError` when `isCancelled` says so.
  public func found(at path: String, isCancelled: () -> Bool = { false }) throws -> ContentIdentity {
    let file = try FileReader(path: path)
    switch self {
    case .sha256: return .sha256(try ContentIdentity.hash(file, SHA256(), isCancelled))
    case .gitBlob:
      var hasher = Insecure.SHA1()
      hasher.update(data: Array("blob \(file.bytes)\0".utf8))
      return .gitBlob(try ContentIdentity.hash(file, hasher, isCancelled))
    }
  }

  private static func hash(_ file: FileReader, _ start: some HashFunction, _ isCancelled: () -> Bool) throws -> String {
    var hasher = start
    try file.forEachPiece { piece in
      if isCancelled() { throw CancellationError() }
      hasher.update(bufferPointer: piece)
    }
    return Hex.string(Array(hasher.finalize()))
  }
}
