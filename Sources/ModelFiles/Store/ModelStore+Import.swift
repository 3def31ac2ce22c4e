public import Digests
public import ModelGraph

extension ModelStore {
  /// Imports a Hugging Face directory under a name, which moves if another model had it.
  ///
  /// The long part runs without holding up others; only the renames at the end are exclusive.
  ///
  /// - Parameter provenance: what to remember about where it came from.
  /// - Throws: as ``HuggingFaceImporter``, ``StoreRejection`` for the built-in model's name,
  ///   `CancellationError` when the task that it runs in is cancelled.
  @discardableResult
  public func importModel(
    directory: String, as name: ModelName?, options: ImportOptions = ImportOptions(),
    provenance: ModelProvenance? = nil
  ) throws -> Digest<ModelManifest> {
    try refuseReserved(name)
    let importer = try HuggingFaceImporter(directory: directory, options: options)
    let weights = try incoming(in: blobs)
    let manifest = try importer.convert { try weights.write($0) }
    try weights.synchronize()
    // What becomes visible must load.
    let parts = LoadedModel.Parts(
      weights: try MappedFile(path: weights.path).bytes, tokenizer: ModelBytes(copying: importer.tokenizer),
      chatTemplate: importer.chatTemplate.map { ModelBytes(copying: $0) })
    let model = try LoadedModel(manifestBytes: manifest.canonicalBytes, digest: nil, checkingDigests: false) { _ in
      parts
    }
    try commit(model, weights: weights, as: name, provenance: provenance)
    return model.digest
  }

  /// Copies a model from a pack, or from wherever it was loaded, into the store.
  ///
  /// - Throws: ``StoreRejection`` for the built-in model's name, ``FileFailure``, `CancellationError`.
  public func add(_ model: LoadedModel, as name: ModelName?) throws {
    try refuseReserved(name)
    let weights = try incoming(in: blobs)
    try model.image.weights.forEachPiece { piece in
      try Task.checkCancellation()
      try weights.write(piece)
    }
    try weights.synchronize()
    try commit(model, weights: weights, as: name, provenance: nil)
  }

  func refuseReserved(_ name: ModelName?) throws(StoreRejection) {
    if name?.text == EmbeddedModel.name { throw .reservedName(EmbeddedModel.name) }
  }

  /// A temporary file that no sweep takes for a dead process's: it is created and locked under the lock.
  func incoming(in folder: String) throws -> TemporaryFile {
    for folder in folders { try FileSystem.createDirectories(folder) }
    let lock = try FileLock(lockPath, .exclusive)
    defer { withExtendedLifetime(lock) {} }
    return try TemporaryFile(in: folder)
  }

  /// Blobs first, then the manifest that names them, then the tag that names the manifest.
  ///
  /// Everything is on disk before the first rename; from there on nothing is cancelled. A process that dies between the renames leaves the
  /// temporary tag or manifest, from which the next one knows that there is something to sweep.
  private func commit(
    _ model: LoadedModel, weights: TemporaryFile, as name: ModelName?, provenance: ModelProvenance?
  ) throws {
    let lock = try FileLock(lockPath, .exclusive)
    defer { withExtendedLifetime(lock) {} }
    func prepared(_ bytes: [UInt8], in folder: String) throws -> TemporaryFile {
      let file = try TemporaryFile(in: folder)
      try file.write(bytes)
      try file.synchronize()
      return file
    }
    let tag = try name.map { _ in try prepared(ModelStore.tagContent(model.digest), in: tags) }
    let manifest = try prepared(model.manifestBytes, in: manifests)
    let tokenizer = try prepared(model.tokenizer, in: blobs)
    let template = try model.chatTemplate.map { try prepared($0, in: blobs) }
    // The same content from a folder says less than what a hub said of it.
    let isKnownBetter = provenance?.hub == nil && self.provenance(of: model.digest)?.hub != nil
    let origin = try provenance.flatMap { isKnownBetter ? nil : $0 }
      .map { try prepared(Array($0.json.text().utf8), in: provenances) }

    try Task.checkCancellation()
    // A blob that is already there is replaced by the same bytes, which also mends a damaged one.
    let named = model.manifest.blobs
    try weights.rename(to: "sha256-\(named.weights.digest.hex)")
    try tokenizer.rename(to: "sha256-\(named.tokenizer.digest.hex)")
    if let template, let blob = named.chatTemplate { try template.rename(to: "sha256-\(blob.digest.hex)") }
    try FileSystem.synchronizeDirectory(blobs)
    try origin?.rename(to: "sha256-\(model.digest.hex).json")
    try manifest.rename(to: "sha256-\(model.digest.hex).json")
    try FileSystem.synchronizeDirectory(manifests)
    if let tag, let name {
      try tag.rename(to: name.text)
      try FileSystem.synchronizeDirectory(tags)
    }
  }
}
