/// Where a log keeps what it serves: immutable tiles and bundles, and the checkpoint.
///
/// Paths are those that readers ask for, `tile/0/000`, `checkpoint`: whoever can modify a storage can lose the
/// log, and cannot forge it, since every reader verifies what it reads. One process writes at a time.
public protocol LogStorage: Sendable {
  /// - Returns: nil if nothing was ever written there.
  func read(_ path: String) throws(StorageFailure) -> [UInt8]?

  /// Writes files, each whole or not at all.
  ///
  /// When it returns, all of them survive a loss of power. When it throws, each of them is the old or the new one,
  /// and none is a mixture.
  func write(_ files: [StoredFile]) throws(StorageFailure)

  /// Removes a folder and the files in it, if it is there: what nobody needs any more. It may come back after a loss
  /// of power.
  func removeFolder(_ path: String) throws(StorageFailure)
}

/// A file to be written.
public struct StoredFile: Sendable, Equatable {
  public let path: String
  public let bytes: [UInt8]

  public init(path: String, bytes: [UInt8]) {
    self.path = path
    self.bytes = bytes
  }
}

/// The disk, or what stands for it, did not do as it was told.
public struct StorageFailure: Error, Equatable, Sendable, CustomStringConvertible {
  /// What was to be done.
  public let action: String
  public let path: String
  /// In the system's words.
  public let reason: String

  /// Another process holds the folder; nothing is wrong with it.
  public let isInUse: Bool

  public init(action: String, path: String, reason: String, isInUse: Bool = false) {
    self.isInUse = isInUse
    self.action = action
    self.path = path
    self.reason = reason
  }

  public var description: String {
    isInUse
      ? "cannot \(action) \(path): \(reason)"
      : "cannot \(action) \(path): \(reason); check the disk and the folder's permissions, then start the log again"
  }
}
