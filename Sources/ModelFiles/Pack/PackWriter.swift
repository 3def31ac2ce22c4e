import Digests
public import ModelGraph

extension Pack {
  /// Imports a model directory into a pack file, which appears only when it is complete.
  ///
  /// - Throws: as ``HuggingFaceImporter``, `CancellationError`, and ``LoadRejection`` when the result would not load.
  @discardableResult
  public static func importPack(
    directory: String, to path: String, options: ImportOptions = ImportOptions()
  ) throws -> ModelManifest {
    let importer = try HuggingFaceImporter(directory: directory, options: options)
    // The manifest comes first in the file and is known last, so the weights wait in a file of their own.
    let weights = try TemporaryFile(beside: path)
    let manifest = try importer.convert { try weights.write($0) }
    let mapping = try MappedFile(path: weights.path)
    try write(
      manifest: manifest, weights: mapping.bytes, tokenizer: importer.tokenizer, chatTemplate: importer.chatTemplate,
      to: path, progress: { _ in try Task.checkCancellation() })
    return manifest
  }

  /// Writes a loaded model to a pack file.
  ///
  /// - Parameter progress: called with the number of bytes written since the last call; what it throws ends
  ///   the work.
  /// - Throws: ``FileFailure``, `CancellationError`, and ``LoadRejection`` when the model's bytes are not what its manifest states.
  public static func write(
    _ model: LoadedModel, to path: String, progress: (Int) throws -> Void = { _ in }
  ) throws {
    try write(
      manifest: model.manifest, weights: model.image.weights, tokenizer: model.tokenizer,
      chatTemplate: model.chatTemplate, to: path, progress: progress)
  }

  private static func write(
    manifest: ModelManifest, weights: ModelBytes, tokenizer: [UInt8], chatTemplate: [UInt8]?, to path: String,
    progress: (Int) throws -> Void
  ) throws {
    let manifestBytes = manifest.canonicalBytes
    let contents =
      [ModelBytes(copying: manifestBytes), weights, ModelBytes(copying: tokenizer)]
      + (chatTemplate.map { [ModelBytes(copying: $0)] } ?? [])
    let digests = [manifest.digest.bytes] + manifest.blobs.all.map(\.digest.bytes)
    precondition(contents.count == digests.count)

    let file = try TemporaryFile(beside: path)
    var header = magic + UInt32(contents.count).littleEndianBytes + UInt32(0).littleEndianBytes
    var places: [Range<Int>] = []
    for (digest, content) in zip(digests, contents) {
      let offset = TensorEntry.paddedTo64(places.last?.upperBound ?? 16 + entryBytes * contents.count)
      header += digest + UInt64(offset).littleEndianBytes + UInt64(content.count).littleEndianBytes
      places.append(offset..<(offset + content.count))
    }
    try file.write(header)
    for content in contents {
      try file.pad()
      try content.forEachPiece { piece in
        try file.write(piece)
        try progress(piece.count)
      }
    }
    // What is published must load. Its digests are checked piece by piece, for the same reason.
    let mapping = try MappedFile(path: file.path)
    _ = try Pack(mapping.bytes).load(checkingDigests: false)
    for (place, digest) in zip(places, digests) {
      let found = try mapping.digest(place, as: ModelManifest.Blob.self) { _ in try Task.checkCancellation() }
      guard found.bytes == digest else {
        throw LoadRejection.digest(part: "pack", found: found.description, stated: "sha256:" + Hex.string(digest))
      }
    }
    try Task.checkCancellation()
    try file.publish(as: FileSystem.name(of: path))
  }
}
