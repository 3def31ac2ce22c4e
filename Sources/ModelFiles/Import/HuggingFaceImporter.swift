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
  /// Called now and then, always from the importing thread.
  public var progress: (@Sendable (ImportProgress) -> Void)?
  /// Refuses a tokenizer that cannot be used, beyond the checks made here. Given the bytes of
  /// tokenizer.json and the vocabulary size.
  public var checkTokenizer: (@Sendable ([UInt8], Int) throws -> Void)?

  /// Processors that can work now.
  public static var processors: Int { FileSystem.processors }

  public init(
    threads: Int = ImportOptions.processors, weights: WeightFormat = .automatic,
    progress: (@Sendable (ImportProgress) -> Void)? = nil,
    checkTokenizer: (@Sendable ([UInt8], Int) throws -> Void)? = nil
  ) {
    self.threads = min(max(threads, 1), 256)
    self.weights = weights
    self.progress = progress
    self.checkTokenizer = checkTokenizer
  }
}

/// A model directory as Hugging Face lays it out, ready to be converted.
///
/// Source: docs/spec/model.md, "Hugging Face directories".
public struct HuggingFaceImporter {
  private let conversion: Conversion
  public let tokenizer: [UInt8]
  public let chatTemplate: [UInt8]?

  /// Opens the directory and checks everything except the weights' values.
  ///
  /// - Throws: ``ImportRejection``, ``SafetensorsRejection``, ``FileTooLarge``, ``FileFailure``.
  public init(directory path: String, options: ImportOptions = ImportOptions()) throws {
    let directory = try HuggingFaceDirectory(path)
    conversion = try Conversion(directory.checkpoint, options: options)
    tokenizer = directory.tokenizer
    chatTemplate = directory.chatTemplate
  }

  /// Converts tensor by tensor. Memory: some blocks of rows, and what every row has of its own.
  ///
  /// - Parameter write: receives the weights blob from start to end in pieces.
  /// - Returns: the finished manifest.
  /// - Throws: ``ImportRejection`` for values that are not finite, and whatever `write` throws.
  public func convert(write: (UnsafeRawBufferPointer) throws -> Void) throws -> ModelManifest {
    try conversion.convert(write: write)
  }
}
