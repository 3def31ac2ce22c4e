import Digests
import Tokenizers

/// A model in GGUF, told in the words of a Hugging Face directory so that one importer serves both.
struct GGUFModel: ImportSource {
  let format = "gguf"
  let documents: CheckpointDocuments
  let tokenizer: [UInt8]
  let chatTemplate: [UInt8]?
  let tensors: [SourceTensor]
  let others: [OtherTensor] = []
  let weightsPlace: String
  let texts: [(name: String, bytes: [UInt8])] = []
  let mappings: [(name: String, mapping: MappedFile)]
  private let vocabularySize: Int

  /// - Parameter path: the file, or any part of a split model.
  /// - Throws: ``GGUFRejection``, ``ImportRejection``, ``FileFailure``.
  init(_ path: String) throws {
    let parts = try GGUFParts(path: path)
    let vocabulary = try GGUFVocabulary.source(parts.metadata)
    vocabularySize = vocabulary.tokens.count
    let translation = try GGUFTranslation(parts, vocabulary: vocabulary)
    documents = try CheckpointDocuments(place: path, configName: parts.metadata.file) { name, _ in
      translation.files.first { $0.name == name }.map { Array($0.json.text().utf8) }
    }
    tokenizer = try vocabulary.canonicalBytes()
    chatTemplate = try GGUFText.template(parts.metadata)
    tensors = translation.tensors
    weightsPlace = parts.metadata.file
    mappings = parts.files.map { ($0.name, $0.mapping) }
  }

  func checkTokenizer(vocabularySize rows: Int) throws {
    guard vocabularySize <= rows else {
      throw GGUFRejection.unsupportedValue(
        file: weightsPlace, key: "tokenizer.ggml.tokens", found: "a list of \(vocabularySize)",
        supported: "at most the \(rows) rows of token_embd.weight")
    }
  }
}
