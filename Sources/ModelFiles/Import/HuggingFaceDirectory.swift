import Digests

/// The files of a model directory that an import reads, opened and checked for structure.
struct HuggingFaceDirectory: ImportSource {
  static let tokenizerBytesMax = 64 << 20
  static let templateBytesMax = 1 << 20

  let format = "safetensors"
  let documents: CheckpointDocuments
  let tokenizer: [UInt8]
  let chatTemplate: [UInt8]?
  let weights: [SafetensorsFile]
  let weightsPlace: String
  let texts: [(name: String, bytes: [UInt8])]

  var tensors: [SourceTensor] { weights.flatMap(\.tensors) }
  var others: [OtherTensor] { weights.flatMap(\.others) }
  var mappings: [(name: String, mapping: MappedFile)] { weights.map { ($0.name, $0.mapping) } }

  /// - Throws: ``ImportRejection``, ``SafetensorsRejection``, ``FileTooLarge``, ``FileFailure``.
  init(_ path: String) throws {
    guard try FileSystem.kind(of: path) == .directory else { throw ImportRejection.notADirectory(path) }
    var texts: [(name: String, bytes: [UInt8])] = []
    func read(_ name: String, _ bytesMax: Int) throws -> [UInt8]? {
      guard try FileSystem.kind(of: "\(path)/\(name)") != nil else { return nil }
      let bytes = try FileSystem.contents(of: "\(path)/\(name)", bytesMax: bytesMax)
      texts.append((name, bytes))
      return bytes
    }
    documents = try CheckpointDocuments(place: path, read: read)
    guard let tokenizer = try read("tokenizer.json", HuggingFaceDirectory.tokenizerBytesMax) else {
      throw ImportRejection.missingFile(
        "\(path)/tokenizer.json", hint: "load the tokenizer once with transformers and save_pretrained it there")
    }
    self.tokenizer = tokenizer
    let tokenizerConfig = try read("tokenizer_config.json", HuggingFaceDirectory.tokenizerBytesMax)
    let template = try read("chat_template.jinja", HuggingFaceDirectory.templateBytesMax)
    chatTemplate = try template ?? tokenizerConfig.flatMap { try HuggingFaceDirectory.template(tokenizerConfig: $0) }
    if let chatTemplate, String(validating: chatTemplate, as: UTF8.self) == nil {
      throw ImportRejection.notUTF8(file: "chat_template.jinja")
    }

    // The single file goes before the index, as it does for transformers.
    let single = "model.safetensors"
    if try FileSystem.kind(of: "\(path)/\(single)") != nil {
      weights = [try SafetensorsFile(directory: path, name: single)]
      weightsPlace = single
    } else if let bytes = try read(SafetensorsIndex.fileName, SafetensorsIndex.bytesMax) {
      weights = try HuggingFaceDirectory.shards(SafetensorsIndex(bytes), path: path)
      weightsPlace = "the files that \(SafetensorsIndex.fileName) lists"
    } else {
      throw ImportRejection.missingFile(
        "\(path)/\(single)", hint: "weights in another format must be converted to safetensors first")
    }
    self.texts = texts
  }

  private static func shards(_ index: SafetensorsIndex, path: String) throws -> [SafetensorsFile] {
    let files = try index.shards.map { shard in
      guard try FileSystem.kind(of: "\(path)/\(shard)") != nil else {
        throw ImportRejection.missingFile(
          "\(path)/\(shard)", hint: "\(SafetensorsIndex.fileName) lists it; download it")
      }
      return try SafetensorsFile(directory: path, name: shard)
    }
    for file in files {
      for tensor in file.header.entries where index.shardOf[tensor.name] != file.name {
        throw ImportRejection.unexpectedTensor(tensor.name, file: file.name)
      }
    }
    let found = Set(files.flatMap { $0.header.entries.map(\.name) })
    if let name = index.shardOf.keys.filter({ !found.contains($0) }).min(by: FileSystem.precedes) {
      throw ImportRejection.missingTensor(name, file: index.shardOf[name] ?? SafetensorsIndex.fileName)
    }
    return files
  }

  /// chat_template of tokenizer_config.json: a string, or a list of named ones of which "default" counts.
  private static func template(tokenizerConfig bytes: [UInt8]) throws(ImportRejection) -> [UInt8]? {
    let file = "tokenizer_config.json"
    let json: JSON
    do throws(JSONError) { json = try JSON.parse(bytes) } catch { throw .json(file: file, error) }
    guard let value = json["chat_template"], !value.isNull else { return nil }
    let text = value.string ?? value.array?.first { $0["name"]?.string == "default" }?["template"]?.string
    guard let text else {
      throw .wrongType(file: file, key: "chat_template", expected: "a string or a list with a \"default\"")
    }
    return Array(text.utf8)
  }

  func checkTokenizer(vocabularySize: Int) throws {
    try TokenizerVocabulary.check(tokenizer, vocabularySize: vocabularySize)
  }
}
