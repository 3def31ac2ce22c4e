import Digests
import ModelGraph

/// A checkpoint that has been checked in everything but the values of its weights, ready to be converted.
///
/// Source: docs/spec/model.md, "Conversion from floating point".
struct Conversion {
  private let checkpoint: any ImportSource
  private let plan: ConversionPlan
  private let options: ImportOptions
  /// The manifest without digests, sizes and exponents.
  private let draft: ModelManifest

  /// - Throws: ``ImportRejection``, ``SafetensorsRejection``, and what `checkTokenizer` throws.
  init(_ checkpoint: any ImportSource, options: ImportOptions) throws {
    self.checkpoint = checkpoint
    self.options = options
    let family = try CheckpointFamilies.of(checkpoint.documents.config)
    let configuration = try checkpoint.documents.configuration()
    var draft = ModelManifest(
      architecture: family.architecture, config: configuration.model, ropeFrequencies: [],
      localRopeFrequencies: configuration.localRope.map { _ in [] },
      tokens: configuration.tokens, tensors: [],
      blobs: ModelManifest.Blobs(
        weights: ModelManifest.Blob(digest: Digest(of: []), bytes: 0),
        tokenizer: ModelManifest.Blob(digest: Digest(of: checkpoint.tokenizer), bytes: checkpoint.tokenizer.count),
        chatTemplate: checkpoint.chatTemplate.map { ModelManifest.Blob(digest: Digest(of: $0), bytes: $0.count) }),
      source: ModelManifest.ModelSource(format: checkpoint.format, files: []))
    // Before anything is as large as the configuration says.
    try Conversion.check(draft)
    let size = configuration.model.headDimension
    draft.ropeFrequencies = try configuration.rope?.frequencies(headDimension: size) ?? []
    draft.localRopeFrequencies = try configuration.localRope?.frequencies(headDimension: size)
    try Conversion.check(draft)
    guard let architecture = Architectures.all[family.architecture] else {
      throw ImportRejection.model(
        .unsupportedArchitecture(family.architecture, known: Architectures.all.keys.sorted()))
    }
    try checkpoint.checkTokenizer(vocabularySize: draft.config.vocabularySize)
    try options.checkTokenizer?(checkpoint.tokenizer, draft.config.vocabularySize)
    plan = try ConversionPlan(
      checkpoint, family: family, architecture: architecture, configuration,
      rotatedElements: 2 * draft.ropeFrequencies.count, formats: options.formats)
    self.draft = draft
  }

  private static func check(_ draft: ModelManifest) throws(ImportRejection) {
    do throws(ModelRejection) { try draft.checkConfiguration() } catch { throw .model(error) }
  }

  /// Converts tensor by tensor, block of rows by block of rows. Memory: some blocks, and what every row has of its
  /// own.
  ///
  /// - Parameter write: receives the weights blob from start to end in pieces.
  /// - Returns: the finished manifest.
  /// - Throws: ``ImportRejection`` for values that are not finite, whatever `write` throws, and
  ///   `CancellationError` when the task that it runs in is cancelled.
  func convert(write: (UnsafeRawBufferPointer) throws -> Void) throws -> ModelManifest {
    var manifest = draft
    var state = ImportProgress(
      bytesDone: 0, bytesTotal: checkpoint.sourceBytes + plan.steps.reduce(0) { $0 + $1.source.byteCount },
      current: "reading")
    options.progress?(state)
    manifest.source.files = try checkpoint.sourceFiles { bytes in
      try Task.checkCancellation()
      state.bytesDone += bytes
      options.progress?(state)
    }
    try options.checkSources?(manifest.source.files)
    let quantizer = Quantizer(threads: options.threads)
    var digest = StreamingDigest<ModelManifest.Blob>()
    var offset = 0
    func put(_ bytes: UnsafeRawBufferPointer) throws {
      try Task.checkCancellation()
      digest.update(bytes)
      try write(bytes)
      offset += bytes.count
    }
    for step in plan.steps {
      state.current = step.source.name
      options.progress?(state)
      let gap = TensorEntry.paddedTo64(offset) - offset
      if gap > 0 { try [UInt8](repeating: 0, count: gap).withUnsafeBytes(put) }
      let start = offset
      let exponent = try quantizer.convert(step.source, to: step.kind, factor: step.factor, put: put)
      manifest.tensors.append(
        TensorEntry(
          name: step.target.name, kind: step.kind, shape: step.target.shape, exponent: exponent, offset: start,
          bytes: offset - start))
      state.bytesDone += step.source.byteCount
    }
    manifest.blobs.weights = ModelManifest.Blob(digest: digest.finalized(), bytes: offset)
    state.bytesDone = state.bytesTotal
    options.progress?(state)
    return manifest
  }
}
