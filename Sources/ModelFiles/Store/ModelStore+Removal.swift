public import Digests
public import ModelGraph

/// What a removal took away.
public struct ModelRemoval: Sendable, Equatable {
  public var names: [String] = []
  /// Nil when other names still stand for the model.
  public var digest: Digest<ModelManifest>?
  public var blobs = 0
  public var bytes = 0
}

extension ModelStore {
  /// Removes a name, and the model itself when no other name stands for it; a digest removes the model
  /// and all its names. Blobs that no model uses any more go too.
  ///
  /// - Throws: ``StoreRejection``, ``FileFailure``.
  @discardableResult
  public func remove(_ argument: String) throws -> ModelRemoval {
    // Says what is wrong with the argument before a lock's file is created in a store that does not exist.
    let found = try stored(resolve(argument), argument)
    let lock = try FileLock(lockPath, .exclusive)
    defer { withExtendedLifetime(lock) {} }
    // What it stands for now: another process may have moved the name meanwhile.
    let isRepository = argument.utf8.contains(UInt8(ascii: "/"))
    let digest = isRepository ? found : try stored(resolveName(argument), argument)
    var removal = ModelRemoval()
    let names = try tagged().filter { $0.digest == digest }.map(\.name.text)
    // Should this process die half way, the marker tells the next one to finish.
    let marker = try TemporaryFile(in: manifests)
    if names.contains(argument) {
      removal.names = [argument]
    } else {
      removal.names = names
    }
    for name in removal.names { try FileSystem.remove("\(tags)/\(name)") }
    try FileSystem.synchronizeDirectory(tags)
    if removal.names.count == names.count {
      try FileSystem.remove(path(of: digest))
      try FileSystem.synchronizeDirectory(manifests)
      try FileSystem.remove(signaturePath(of: digest))
      removal.digest = digest
      try removeUnusedProvenance()
      // Where another model is damaged its blobs are unknown, and all stay.
      do { (removal.blobs, removal.bytes) = try removeUnusedBlobs() } catch is LoadRejection {}
    }
    withExtendedLifetime(marker) {}
    return removal
  }

  private func stored(_ reference: ModelReference, _ argument: String) throws -> Digest<ModelManifest> {
    switch reference {
    case .stored(let digest): return digest
    case .embedded: throw StoreRejection.embedded(argument)
    case .pack: throw StoreRejection.unknownModel(argument, known: try tagged().map(\.name.text))
    }
  }

  /// Removes what processes left that died in the middle of something. Does nothing when somebody is at
  /// work or the store cannot be written; another process will.
  func sweep() {
    guard (try? FileSystem.kind(of: lockPath)) == .file,
      let lock = try? FileLock.attempt(lockPath, .exclusive)
    else { return }
    defer { withExtendedLifetime(lock) {} }
    let dead = folders.flatMap { folder in
      ((try? FileSystem.names(in: folder)) ?? [])
        .filter { $0.utf8.starts(with: TemporaryFile.prefix.utf8) }
        .map { "\(folder)/\($0)" }
        .filter { !FileLock.isHeld($0) }
    }
    guard !dead.isEmpty else { return }
    // The temporary files go last: as long as one is there, the next process sweeps again.
    guard (try? removeUnusedBlobs()) != nil, (try? removeUnusedProvenance()) != nil else { return }
    for path in dead { try? FileSystem.remove(path) }
  }

  /// Removes blobs that no manifest names. The caller holds the lock.
  ///
  /// - Throws: where a manifest cannot be read, because its blobs cannot be known then.
  private func removeUnusedBlobs() throws -> (count: Int, bytes: Int) {
    var used: Set<String> = []
    for digest in try manifestDigests() {
      for blob in try manifest(digest).blobs.all { used.insert("sha256-\(blob.digest.hex)") }
    }
    var (count, bytes) = (0, 0)
    for name in try FileSystem.names(in: blobs) where name.utf8.starts(with: "sha256-".utf8) && !used.contains(name) {
      bytes += (try? FileSystem.size(of: "\(blobs)/\(name)")) ?? 0
      try FileSystem.remove("\(blobs)/\(name)")
      count += 1
    }
    try FileSystem.synchronizeDirectory(blobs)
    return (count, bytes)
  }
}
