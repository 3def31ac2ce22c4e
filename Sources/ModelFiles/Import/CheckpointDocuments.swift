import Digests

/// The JSON files that describe a checkpoint.
struct CheckpointDocuments {
  let config: HuggingFaceMembers
  /// `generation_config.json`, whose ids go before those of `config`.
  let generation: HuggingFaceMembers?
  /// `modules.json` and the configuration of its pooling, of sentence-transformers; encoders only.
  let modules: SentenceModules?

  /// - Parameters:
  ///   - read: the content of a file by name, at most so many bytes; nil when there is no such file.
  ///   - place: where the files are, for messages.
  ///   - configName: what messages call `config.json`.
  init(
    place: String, configName: String = "config.json", read: (_ name: String, _ bytesMax: Int) throws -> [UInt8]?
  ) throws {
    func bytes(_ name: String) throws -> [UInt8]? { try read(name, HuggingFaceMembers.bytesMax) }
    guard let content = try bytes("config.json") else {
      throw ImportRejection.missingFile("\(place)/config.json", hint: "give the folder of a Hugging Face model")
    }
    config = try HuggingFaceMembers(content, file: configName)
    generation = try bytes("generation_config.json").map {
      try HuggingFaceMembers($0, file: "generation_config.json")
    }
    // Whatever would be refused anyway is refused before large files are opened.
    guard try CheckpointFamilies.of(config) is BertCheckpoint, let list = try bytes(SentenceModules.fileName) else {
      modules = nil
      return
    }
    let json: JSON
    do throws(JSONError) { json = try JSON.parse(list) } catch {
      throw ImportRejection.json(file: SentenceModules.fileName, error)
    }
    modules = try SentenceModules(json) { name in
      guard let content = try bytes(name) else {
        throw ImportRejection.missingFile("\(place)/\(name)", hint: "\(SentenceModules.fileName) names it; download it")
      }
      return try HuggingFaceMembers(content, file: name)
    }
  }

  /// What the family makes of them.
  ///
  /// - Throws: ``ImportRejection`` for everything that is not supported.
  func configuration() throws(ImportRejection) -> CheckpointConfiguration {
    try CheckpointFamilies.of(config).configuration(self)
  }
}
