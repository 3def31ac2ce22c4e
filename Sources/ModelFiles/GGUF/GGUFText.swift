import Digests
public import Tokenizers

/// What a GGUF file says about text, read without its weights.
public struct GGUFText: Sendable {
  public let vocabulary: VocabularySource
  /// UTF-8 of the chat template; nil when the file has none.
  public let chatTemplate: [UInt8]?

  /// - Parameter path: the file, or the first part of a split model.
  /// - Throws: ``GGUFRejection``, ``FileFailure``.
  public init(path: String) throws {
    let metadata = try GGUFFile(path: path).metadata
    vocabulary = try GGUFVocabulary.source(metadata)
    chatTemplate = try GGUFText.template(metadata)
  }

  static func template(_ metadata: GGUFMetadata) throws -> [UInt8]? {
    let key = "tokenizer.chat_template"
    guard let text = try metadata.text(key) else { return nil }
    guard text.utf8.count <= HuggingFaceDirectory.templateBytesMax else {
      throw GGUFRejection.tooMany(
        file: metadata.file, what: "bytes of \(key)", count: UInt64(text.utf8.count),
        countMax: HuggingFaceDirectory.templateBytesMax)
    }
    return Array(text.utf8)
  }

  /// Whether a file begins as GGUF files do.
  public static func begins(_ bytes: some Sequence<UInt8>) -> Bool { bytes.starts(with: "GGUF".utf8) }
}
