import Digests
import ModelGraph

/// Where a model comes from: the files of a directory or of a GGUF model, opened and checked for structure.
protocol ImportSource {
  /// `source.format` of the manifest.
  var format: String { get }
  var documents: CheckpointDocuments { get }
  var tokenizer: [UInt8] { get }
  /// UTF-8.
  var chatTemplate: [UInt8]? { get }
  /// Under the names of `transformers`.
  var tensors: [SourceTensor] { get }
  /// Those that are no real numbers.
  var others: [OtherTensor] { get }
  /// Where tensors are looked for, for messages.
  var weightsPlace: String { get }
  /// The small files, read whole.
  var texts: [(name: String, bytes: [UInt8])] { get }
  var mappings: [(name: String, mapping: MappedFile)] { get }
  /// Refuses a tokenizer whose ids have no rows in the model.
  func checkTokenizer(vocabularySize: Int) throws
}

/// A tensor of a type that is not imported: harmless where the family ignores it, as it does position ids.
struct OtherTensor {
  let name: String
  let rejection: SafetensorsRejection
}

extension ImportSource {
  /// Bytes of all source files.
  var sourceBytes: Int {
    texts.reduce(0) { $0 + $1.bytes.count } + mappings.reduce(0) { $0 + $1.mapping.count }
  }

  /// The digests of everything that was read, sorted by name.
  ///
  /// - Parameter progress: called with the number of bytes done since the last call; what it throws ends the
  ///   work.
  func sourceFiles(progress: (Int) throws -> Void) rethrows -> [ModelManifest.SourceFile] {
    var files = texts.map {
      ModelManifest.SourceFile(name: $0.name, digest: Digest(of: $0.bytes), bytes: $0.bytes.count)
    }
    for (name, mapping) in mappings {
      let digest = try mapping.digest(0..<mapping.count, as: ModelManifest.SourceFile.self, progress: progress)
      files.append(ModelManifest.SourceFile(name: name, digest: digest, bytes: mapping.count))
    }
    return files.sorted { FileSystem.precedes($0.name, $1.name) }
  }
}

/// Opens what `path` leads to.
///
/// - Throws: as the directory's or the GGUF model's own initialiser.
func openImportSource(_ path: String) throws -> any ImportSource {
  if path.utf8.hasSuffix(".gguf"), try FileSystem.kind(of: path) != .directory { return try GGUFModel(path) }
  return try HuggingFaceDirectory(path)
}
