import Digests
public import ModelGraph

/// How far an import has come. Bytes of source files, each counted once when hashed and once when converted.
public struct ImportProgress: Sendable, Equatable {
  public var bytesDone: Int
  public var bytesTotal: Int
  /// The tensor or step at work.
  public var current: String
}

/// What an import may be told.
public struct ImportOptions: Sendable {
  /// The number of threads; it never changes the result.
  public var threads: Int
  /// Called now and then, always from the importing thread.
  public var progress: (@Sendable (ImportProgress) -> Void)?
  /// Refuses a tokenizer that cannot be used, beyond the checks made here. Given the bytes of
  /// tokenizer.json and the vocabulary size.
  public var checkTokenizer: (@Sendable ([UInt8], Int) throws -> Void)?

  /// Processors that can work now.
  public static var processors: Int { FileSystem.processors }

  public init(
    threads: Int = ImportOptions.processors,
    progress: (@Sendable (ImportProgress) -> Void)? = nil,
    checkTokenizer: (@Sendable ([UInt8], Int) throws -> Void)? = nil
  ) {
    self.threads = min(max(threads, 1), 256)
    self.progress = progress
    self.checkTokenizer = checkTokenizer
  }
}

/// A Llama-family model directory as Hugging Face lays it out, ready to be converted.
///
/// Source: docs/spec/model.md, "Conversion from floating point" and "Hugging Face directories".
public struct HuggingFaceImporter {
  private let directory: HuggingFaceDirectory
  private let plans: [TensorPlan]
  private let options: ImportOptions
  /// The manifest without digests, sizes and exponents.
  private let draft: ModelManifest

  public var tokenizer: [UInt8] { directory.tokenizer }
  public var chatTemplate: [UInt8]? { directory.chatTemplate }

  /// Opens the directory and checks everything except the weights' values.
  ///
  /// - Throws: ``ImportRejection``, ``SafetensorsRejection``, ``FileTooLarge``, ``FileFailure``.
  public init(directory path: String, options: ImportOptions = ImportOptions()) throws {
    directory = try HuggingFaceDirectory(path)
    self.options = options
    let c = directory.configuration
    var draft = ModelManifest(
      architecture: "llama",
      config: ModelConfiguration(
        hiddenSize: c.hiddenSize, layers: c.layers, heads: c.heads, keyValueHeads: c.keyValueHeads,
        headDimension: c.headDimension, intermediateSize: c.intermediateSize, vocabularySize: c.vocabularySize,
        contextLength: c.contextLength, residualFractionBits: 20,
        normEpsilon: try HuggingFaceImporter.epsilon(c.normEpsilon, hiddenSize: c.hiddenSize),
        tiedEmbeddings: c.tiedEmbeddings),
      ropeFrequencies: [],
      tokens: ModelManifest.SpecialTokens(
        endOfSequence: c.endOfSequence.map { Int32(clamping: $0) },
        beginOfSequence: c.beginOfSequence.map { Int32(clamping: $0) }),
      tensors: [],
      blobs: ModelManifest.Blobs(
        weights: ModelManifest.Blob(digest: Digest(of: []), bytes: 0),
        tokenizer: ModelManifest.Blob(digest: Digest(of: directory.tokenizer), bytes: directory.tokenizer.count),
        chatTemplate: directory.chatTemplate.map { ModelManifest.Blob(digest: Digest(of: $0), bytes: $0.count) }),
      source: ModelManifest.ModelSource(format: "safetensors", files: []))
    do throws(ModelRejection) {
      try draft.checkConfiguration()
    } catch {
      throw ImportRejection.model(error)
    }
    draft.ropeFrequencies = try RopeFrequencies.values(theta: c.ropeTheta, headDimension: c.headDimension)
    try TokenizerVocabulary.check(directory.tokenizer, vocabularySize: c.vocabularySize)
    try options.checkTokenizer?(directory.tokenizer, c.vocabularySize)
    plans = try TensorPlan.make(
      for: draft.config, from: directory.weights.flatMap(\.tensors), place: directory.weightsPlace)
    self.draft = draft
  }

  /// ε = round(eps · d · 2^40), at least 1.
  private static func epsilon(_ text: JSONNumber, hiddenSize: Int) throws(ImportRejection) -> Int {
    guard let eps = Double(text.text), eps >= 0, eps <= 1 else {
      throw .unsupportedValue(file: "config.json", key: "rms_norm_eps", found: text.text, supported: "0 to 1")
    }
    let scaled = (eps * Double(hiddenSize) * 0x1p40).rounded(.toNearestOrAwayFromZero)
    // Where it does not fit, the static bounds refuse it by name.
    return max(1, scaled < 0x1p62 ? Int(scaled) : 1 << 62)
  }

  /// Converts tensor by tensor, block of rows by block of rows. Memory: some blocks.
  ///
  /// - Parameter write: receives the weights blob from start to end in pieces.
  /// - Returns: the finished manifest.
  /// - Throws: ``ImportRejection`` for values that are not finite, and whatever `write` throws.
  public func convert(write: (UnsafeRawBufferPointer) throws -> Void) throws -> ModelManifest {
    var manifest = draft
    var state = ImportProgress(
      bytesDone: 0, bytesTotal: directory.sourceBytes + plans.reduce(0) { $0 + $1.source.byteCount },
      current: "reading")
    options.progress?(state)
    manifest.source.files = directory.sourceFiles { bytes in
      state.bytesDone += bytes
      options.progress?(state)
    }
    let quantizer = Quantizer(threads: options.threads)
    var digest = StreamingDigest<ModelManifest.Blob>()
    var offset = 0
    func put(_ bytes: UnsafeRawBufferPointer) throws {
      digest.update(bytes)
      try write(bytes)
      offset += bytes.count
    }
    for plan in plans {
      state.current = plan.source.name
      options.progress?(state)
      let gap = TensorEntry.paddedTo64(offset) - offset
      if gap > 0 { try [UInt8](repeating: 0, count: gap).withUnsafeBytes(put) }
      let start = offset
      let exponent =
        plan.target.kind == .gain
        ? try quantizer.gain(of: plan.source, put: put)
        : try quantizer.rows(of: plan.source, kind: plan.target.kind, factor: plan.factor, put: put)
      manifest.tensors.append(
        TensorEntry(
          name: plan.target.name, kind: plan.target.kind, shape: plan.target.shape, exponent: exponent, offset: start,
          bytes: offset - start))
      state.bytesDone += plan.source.byteCount
    }
    manifest.blobs.weights = ModelManifest.Blob(digest: digest.finalized(), bytes: offset)
    state.bytesDone = state.bytesTotal
    options.progress?(state)
    return manifest
  }
}
