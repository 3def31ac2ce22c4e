import Digests
import Foundation
import ModelFiles
public import Receipts

extension NodeKey {
  /// What a rotation did.
  public struct Rotation: Sendable {
    public let previous: NodePublicKey
    public let current: NodePublicKey
    /// Where the old key is kept.
    public let previousPath: String
    public let entry: KeyHistoryFolder.Item
  }

  /// Makes a new key, has the old one name it, and puts it in the old one's place.
  ///
  /// A process killed at any instant leaves the old key or the new one in place; the same call again goes on with the
  /// same new key.
  ///
  /// - Parameter time: RFC 3339, UTC, to the second.
  public static func rotate(path: String, history: KeyHistoryFolder, time: String) throws -> Rotation {
    let old = try loadOrCreate(path: path)
    let nextPath = path + ".next"
    let next = try loadOrCreate(path: nextPath)
    let oldKey = old.signing.publicKey
    let entry: KeyHistoryFolder.Item
    if let made = try history.items().first(where: {
      guard case .succession(let succession) = $0.signed.entry else { return false }
      return succession.from == oldKey && succession.to == next.signing.publicKey
    }) {
      entry = made
    } else {
      let succession = KeySuccession(from: oldKey, to: next.signing, time: time)
      entry = try history.add(SignedEntry(signing: .succession(succession), with: old.signing))
    }
    let previousPath = keptPath(path, oldKey)
    guard link(path, previousPath) == 0 || errno == EEXIST else {
      throw failure(previousPath, "cannot keep the old key")
    }
    guard rename(nextPath, path) == 0 else { throw failure(path, "cannot put the new key in place") }
    do { try FileSystem.synchronizeDirectory(FileSystem.directory(of: path)) } catch {
      throw failure(path, "cannot sync the folder")
    }
    return Rotation(
      previous: oldKey, current: next.signing.publicKey, previousPath: previousPath, entry: entry)
  }

  /// The key with that public half: the one in `path`, or one that was in its place before; nil when it is not here.
  public static func kept(_ publicKey: NodePublicKey, path: String) throws -> NodeKey? {
    let current = try loadOrCreate(path: path)
    if current.signing.publicKey == publicKey { return current }
    let path = keptPath(path, publicKey)
    guard try FileSystem.kind(of: path) != nil else { return nil }
    let kept = try loadOrCreate(path: path)
    return kept.signing.publicKey == publicKey ? kept : nil
  }

  /// Beside the key: its name and the first half of the key ID.
  private static func keptPath(_ path: String, _ key: NodePublicKey) -> String { "\(path).\(key.id.hex.prefix(32))" }

  private static func failure(_ path: String, _ what: String) -> NodeKeyFailure {
    .unreadable(path: path, reason: "\(what): \(String(cString: strerror(errno)))")
  }
}
