public import Digests
public import ModelGraph

/// One thing that a check of the store looked at.
public struct StoreFinding: Sendable, Equatable {
  /// Relative to the store: `blobs/sha256-…`, `tags/name`.
  public let subject: String
  /// Nil when it is as it should be.
  public let problem: String?

  public init(subject: String, problem: String?) {
    self.subject = subject
    self.problem = problem
  }
}

extension ModelStore {
  /// Hashes every file of the store again and loads every model.
  ///
  /// Others may change the store meanwhile; what they remove is not looked at.
  ///
  /// - Parameters:
  ///   - models: the models to check, with the names that stand for them; nil for everything there is.
  ///   - progress: called with the bytes hashed so far and the bytes of all blobs.
  /// - Returns: one finding per manifest, blob and tag, and one per file that should not be there.
  /// - Throws: ``FileFailure`` when the folders cannot be listed, `CancellationError`.
  public func verify(
    models: Set<Digest<ModelManifest>>? = nil, progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
  ) throws -> [StoreFinding] {
    let audit = StoreAudit(store: self, models: models)
    try audit.run(progress: progress)
    return audit.findings
  }
}

private final class StoreAudit {
  let store: ModelStore
  let models: Set<Digest<ModelManifest>>?
  private(set) var findings: [StoreFinding] = []
  /// File names of the blobs that a readable manifest names.
  private var used: Set<String> = []

  init(store: ModelStore, models: Set<Digest<ModelManifest>>?) {
    self.store = store
    self.models = models
  }

  func run(progress: (Int, Int) -> Void) throws {
    // A lock for as long as it takes to list everything, and for each file until it is open: hashing can
    // take minutes, and a removal does not harm a file that is open.
    var lock = store.readLock()
    let manifests = try names(store.manifests).filter { name in
      models.map { models in StoreAudit.digest(manifestName: name).map(models.contains) ?? false } ?? true
    }
    let allBlobs = try names(store.blobs)
    let tags = try names(store.tags)
    for name in manifests { checkManifest(name) }
    let blobs = allBlobs.filter { models == nil || used.contains($0) }
    for name in tags { checkTag(name) }
    withExtendedLifetime(lock) { lock = nil }

    let total = blobs.reduce(0) { $0 + ((try? FileSystem.size(of: "\(store.blobs)/\($1)")) ?? 0) }
    var done = 0
    for name in blobs {
      try checkBlob(name) { bytes in
        done += bytes
        progress(done, max(total, done))
      }
    }
  }

  private func names(_ folder: String) throws -> [String] {
    try FileSystem.names(in: folder).filter { !$0.utf8.starts(with: TemporaryFile.prefix.utf8) }
  }

  private func add(_ subject: String, _ body: () throws -> String?) {
    do { findings.append(StoreFinding(subject: subject, problem: try body())) } catch {
      findings.append(StoreFinding(subject: subject, problem: "\(error)"))
    }
  }

  private static func digest(manifestName name: String) -> Digest<ModelManifest>? {
    guard let digest = Digest<ModelManifest>(hex: String(name.dropFirst(7).dropLast(5))),
      name == "sha256-\(digest.hex).json"
    else { return nil }
    return digest
  }

  private func checkManifest(_ name: String) {
    var blobs: [String] = []
    add("manifests/\(name)") {
      guard let digest = StoreAudit.digest(manifestName: name) else {
        return "this is not a manifest's name; remove it"
      }
      let manifest = try store.manifest(digest)
      blobs = manifest.blobs.all.map { "sha256-\($0.digest.hex)" }
      // Digests are checked below, once per blob.
      _ = try store.open(.stored(digest), checkingDigests: false)
      return nil
    }
    used.formUnion(blobs)
  }

  private func checkTag(_ name: String) {
    let content = try? FileSystem.contents(of: "\(store.tags)/\(name)", bytesMax: 128)
    let digest = content.flatMap(ModelStore.tagDigest)
    if let models, !(digest.map(models.contains) ?? false) { return }
    add("tags/\(name)") {
      _ = try ModelName(name)
      guard let digest else { return "it does not hold a digest; import the model again" }
      guard try FileSystem.kind(of: store.path(of: digest)) == .file else {
        return "it stands for \(digest), which is not in the store; import the model again"
      }
      return nil
    }
  }

  /// - Throws: `CancellationError` only; everything else is a finding.
  private func checkBlob(_ name: String, _ progress: (Int) -> Void) throws {
    let path = "\(store.blobs)/\(name)"
    let lock = store.readLock()
    let opened = Result { try FileReader(path: path) }
    withExtendedLifetime(lock) {}
    // Removed by another process since it was listed; whether a model lacks it was found above.
    if case .failure(let failure as FileFailure) = opened, failure.isMissing { return }
    var cancellation: CancellationError?
    add("blobs/\(name)") {
      var digest = StreamingDigest<ModelManifest.Blob>()
      try opened.get().forEachPiece { piece in
        if Task.isCancelled {
          cancellation = CancellationError()
          throw CancellationError()
        }
        digest.update(piece)
        progress(piece.count)
      }
      let found = "sha256-\(digest.finalized().hex)"
      guard found == name else { return "its content hashes to \(found); import the model again" }
      return used.contains(name) ? nil : "no model uses it; the next `evident rm` removes it"
    }
    if let cancellation { throw cancellation }
  }
}
