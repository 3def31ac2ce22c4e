public import Digests
public import ModelGraph

/// Why a model directory cannot be imported. Every case names the file, key or tensor.
public enum ImportRejection: Error, Equatable, Sendable, CustomStringConvertible {
  case notADirectory(String)
  case missingFile(String, hint: String)
  case json(file: String, JSONError)
  case missingValue(file: String, key: String)
  case wrongType(file: String, key: String, expected: String)
  case unsupportedValue(file: String, key: String, found: String, supported: String)
  case notUTF8(file: String)
  case vocabulary(token: String, id: Int, vocabularySize: Int)
  case tokenizer(String)
  case missingTensor(String, file: String)
  case unexpectedTensor(String, file: String)
  case duplicateTensor(String, files: [String])
  case wrongShape(String, found: [Int], expected: [Int])
  case untied(String)
  case notFinite(tensor: String, element: Int, file: String)
  case model(ModelRejection)

  public var description: String {
    switch self {
    case .notADirectory(let path):
      "there is no folder \(path); give a folder with config.json and safetensors files, a .gguf file or a .pack file"
    case .missingFile(let name, let hint): "\(name) is missing; \(hint)"
    case .json(let file, let error): "\(file) is not valid: \(error)"
    case .missingValue(let file, let key): "\(file) lacks \(key)"
    case .wrongType(let file, let key, let expected): "\(file): \(key) is not \(expected)"
    case .unsupportedValue(let file, let key, let found, let supported):
      "\(file): \(key) is \(found), which is not supported (supported: \(supported))"
    case .notUTF8(let file): "\(file) is not valid UTF-8"
    case .vocabulary(let token, let id, let size):
      "tokenizer.json has token \(quoted(token)) with id \(id), but config.json's vocab_size is \(size); "
        + "the files do not belong together"
    case .tokenizer(let problem): "tokenizer.json cannot be used: \(problem)"
    case .missingTensor(let name, let file):
      "tensor \(quoted(name)) is missing from \(file); the download may be incomplete"
    case .unexpectedTensor(let name, let file):
      "\(file): tensor \(quoted(name)) is not part of a model of this architecture and shape; the model does "
        + "something that would be lost"
    case .duplicateTensor(let name, let files):
      "tensor \(quoted(name)) is in more than one file: \(files.joined(separator: ", "))"
    case .wrongShape(let name, let found, let expected):
      "tensor \(quoted(name)) has shape \(found); config.json makes it \(expected)"
    case .untied(let name):
      "tensor \(quoted(name)) differs from the embedding although config.json says tie_word_embeddings"
    case .notFinite(let tensor, let element, let file):
      "\(file): tensor \(quoted(tensor)) has a NaN or an infinity at element \(element); the weights are damaged"
    case .model(let rejection): "the model cannot run in exact arithmetic: \(rejection)"
    }
  }
}
