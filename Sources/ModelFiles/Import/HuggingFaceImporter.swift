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
  /// The format of linear weights.
  public var weights: WeightFormat
  /// The format of the head; nil leaves it to ``WeightFormats``.
  public var head: WeightFormat?
  /// Called now and then, always from the importing thread.
  public var progress: (@Sendable (ImportProgress) -> Void)?
  /// Refuses a tokenizer that cannot be used, beyond the checks made here. Given the bytes of
  /// tokenizer.json and the vocabulary size.
  public var checkTokenizer: (@Sendable ([UInt8], Int) throws -> Void)?
  /// Refuses source files. Given the names and digests of everything that was read, before anything is
  /// converted.
  public var checkSources: (@Sendable ([ModelManifest.SourceFile]) throws -> Void)?

  public var formats: WeightFormats { WeightFormats(layers: weights, head: head) }

  /// Processors that can work now.
  public static var processors: Int { FileSystem.processors }

  public init(
    threads: Int = ImportOptions.processors, weights: WeightFormat = .automatic, head: WeightFormat? = nil,
    progress: (@Sendable (ImportProgress) -> Void)? = nil,
    checkTokenizer: (@Sendable ([UInt8], Int) throws -> Void)? = nil,
    checkSources: (@Sendable ([ModelManifest.SourceFile]) throws -> Void)? = nil
  ) {
    self.threads = min(max(threads, 1), 256)
    self.weights = weights
    self.head = head
    self.progress = progress
    self.checkTokenizer = checkTokenizer
    self.checkSources = checkSources
  }
}

/// A model as Hugging Face lays it out or as GGUF holds it, ready to be converted.
///
/// Source: docs/spec/model.md, "Conversion from floating point", "Hugging Face directories"
/// and "GGUF files".
public struct HuggingFaceImporter {
  private let conversion: Conversion
  public let tokenizer: [UInt8]
  public let chatTemplate: [UInt8]?

  /// Opens the files and checks everything except the weights' values.
  ///
  /// - Parameter path: a folder, or a `.gguf` file.
  /// - Throws: ``ImportRejection``, ``SafetensorsRejection``, ``GGUFRejection``, ``FileTooLarge``, ``FileFailure``.
  public init(directory path: String, options: ImportOptions = ImportOptions()) throws {
    let source = try openImportSource(path)
    conversion = try Conversion(source, options: options)
    tokenizer = source.tokenizer
    chatTemplate = source.chatTemplate
  }

  /// Converts tensor by tensor. Memory: some blocks of rows, and what every row has of its own.
  ///
  /// - Parameter write: receives the weights blob from start to end in pieces.
  /// - Returns: the finished manifest.
  /// - Throws: ``ImportRejection`` for values that are not finite, whatever `write` throws, and
  ///   `CancellationError` when the task that it runs in is cancelled.
  public func convert(write: (UnsafeRawBufferPointer) throws -> Void) throws -> ModelManifest {
    try conversion.convert(write: write)
  }
}
