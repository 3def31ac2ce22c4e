import Digests
import Foundation
import ModelFiles
import ModelGraph
import Tokenizers

/// Where a command takes a tokenizer or a chat template from: a file of its own, a GGUF file or a model.
enum TextSource {
  /// Larger files hold no tokenizer and no template.
  private static let fileBytesMax = Tokenizer.definitionBytesMax

  /// A tokenizer.json, a vocabulary document, a GGUF file, a pack, or a model's name or digest.
  static func tokenizer(_ argument: String, _ settings: Settings) throws -> Tokenizer {
    guard let file = try plainFile(argument, suffixes: [".json", ".gguf"]) else {
      let model = try ModelStore(root: settings.modelsFolder).open(argument, checkingDigests: false)
      try check("tokenizer", model.tokenizer, model.manifest.blobs.tokenizer)
      return try Tokenizer(modelFile: model.tokenizer)
    }
    if case .gguf(let text) = file { return try Tokenizer(text.vocabulary) }
    if case .bytes(let bytes) = file { return try Tokenizer(modelFile: bytes) }
    throw CommandFailure("\(argument) is neither a tokenizer nor a model")
  }

  /// A chat template, and what a model says that belongs into its context.
  struct Template {
    let source: String
    var beginOfSequence: String?
    var endOfSequence: String?
  }

  /// A Jinja file, a GGUF file, a pack, or a model's name or digest.
  static func template(_ argument: String, _ settings: Settings) throws -> Template {
    let none = CommandFailure(
      "\(argument) has no chat template", hint: "name a Jinja file, or a model whose publisher gives a template")
    guard let file = try plainFile(argument, suffixes: [".jinja", ".jinja2", ".j2", ".gguf"]) else {
      let model = try ModelStore(root: settings.modelsFolder).open(argument, checkingDigests: false)
      guard let template = model.chatTemplate, let blob = model.manifest.blobs.chatTemplate else { throw none }
      try check("chat template", template, blob)
      let tokenizer = try Tokenizer(modelFile: model.tokenizer)
      return Template(
        source: try text(template, argument), beginOfSequence: name(model.manifest.tokens.beginOfSequence, tokenizer),
        endOfSequence: name(model.manifest.tokens.endOfSequence.first, tokenizer))
    }
    switch file {
    case .bytes(let bytes): return Template(source: try text(bytes, argument))
    case .gguf(let gguf):
      guard let template = gguf.chatTemplate else { throw none }
      let tokens = gguf.vocabulary.tokens
      func name(_ id: Int?) -> String {
        id.flatMap { tokens.indices.contains($0) ? String(decoding: tokens[$0], as: UTF8.self) : nil } ?? ""
      }
      return Template(
        source: try text(template, argument), beginOfSequence: name(gguf.vocabulary.beginID),
        endOfSequence: name(gguf.vocabulary.endID))
    }
  }

  private static func name(_ id: Int32?, _ tokenizer: Tokenizer) -> String {
    id.flatMap { tokenizer.token(of: $0) }.map { String(decoding: $0, as: UTF8.self) } ?? ""
  }

  private static func text(_ bytes: [UInt8], _ place: String) throws -> String {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw CommandFailure("the chat template of \(place) is not UTF-8", hint: "save it as UTF-8")
    }
    return text
  }

  /// The weights are not read here, so only what is used is hashed.
  private static func check(_ part: String, _ bytes: [UInt8], _ blob: ModelManifest.Blob) throws {
    let found = Digest<ModelManifest.Blob>(of: bytes)
    guard found == blob.digest else {
      throw LoadRejection.digest(part: part, found: found.description, stated: blob.digest.description)
    }
  }

  // MARK: Files

  private enum PlainFile {
    case gguf(GGUFText)
    case bytes([UInt8])
  }

  /// Nil when the argument means a model of the store, or a pack.
  private static func plainFile(_ argument: String, suffixes: [String]) throws -> PlainFile? {
    guard argument.contains("/") || suffixes.contains(where: { argument.lowercased().hasSuffix($0) }) else {
      return nil
    }
    var isDirectory: ObjCBool = false
    guard FileManager.default.fileExists(atPath: argument, isDirectory: &isDirectory) else {
      throw CommandFailure("there is no file \(argument)", hint: "name a file, or a model that `evident list` shows")
    }
    if isDirectory.boolValue {
      throw CommandFailure(
        "\(argument) is a directory", hint: "name the file in it, such as \(argument)/tokenizer.json")
    }
    let start = try read(argument, bytesMax: 8)
    if start.starts(with: "EVPACK1\n".utf8) { return nil }
    if GGUFText.begins(start) { return .gguf(try GGUFText(path: argument)) }
    let bytes = try read(argument, bytesMax: fileBytesMax + 1)
    guard bytes.count <= fileBytesMax else {
      throw CommandFailure("\(argument) is longer than \(Terminal.bytes(fileBytesMax)); no such file is a tokenizer")
    }
    return .bytes(bytes)
  }

  /// The beginning of a file, or all of it; `-` is stdin.
  static func read(_ path: String, bytesMax: Int) throws -> [UInt8] {
    let handle: FileHandle
    if path == "-" {
      handle = .standardInput
    } else {
      guard let opened = FileHandle(forReadingAtPath: path) else {
        throw CommandFailure("there is no readable file \(path)", hint: "check the path and its permissions")
      }
      handle = opened
    }
    do { return Array(try handle.read(upToCount: bytesMax) ?? Data()) } catch {
      throw CommandFailure("\(path) cannot be read: \(error.localizedDescription)")
    }
  }
}
