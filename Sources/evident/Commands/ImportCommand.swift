import ArgumentParser
import Digests
import Foundation
import Hub
import ModelFiles
import ModelGraph
import Verification

struct ImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Converts a Hugging Face directory or a GGUF file into exact integers and keeps it.",
    discussion: """
      A directory holds config.json, tokenizer.json and safetensors; of a GGUF model
      in parts give any part. The same files give the same model digest on every
      machine. A folder that `evident publish` wrote, or a .pack file, is taken over
      as it is.

      A model signature (model.sig) is checked first. Files that are not exactly
      those that were signed are refused; a good signature by a key you do not know
      is only reported.
      """)

  @Argument(help: ArgumentHelp("The directory, GGUF or .pack file.", valueName: "path"), completion: .file())
  var directory: String
  @Option(help: "The name to keep it under (default: that of the directory or file in lower case).")
  var name: String?
  @Option(help: ArgumentHelp("Write a pack file instead of adding to the store.", valueName: "file"))
  var pack: String?
  @OptionGroup var formats: WeightArguments
  @Option(help: "Threads to use; the result does not depend on it.") var threads: Int?
  @OptionGroup var signature: SignatureArguments
  @Flag(help: "Print JSON.") var json = false

  func run() async throws {
    let settings = try await Settings()
    do {
      try await Interruption.cancelling { try convert(settings) }
    } catch is CancellationError {
      Terminal.note("stopped; nothing was written")
      throw ExitCode(130)
    } catch let failure as FileFailure {
      throw CommandFailure(failure.description, hint: failure.remedy)
    }
  }

  private func convert(_ settings: Settings) throws {
    let signed = try signature.check(directory, settings)
    if let packFile = try ImportCommand.packFile(directory) {
      try importPack(packFile, signed, settings)
      return
    }
    let bar = ProgressBar("importing")
    defer { bar.finish() }
    let options = ImportOptions(
      threads: try threads ?? settings.integer("threads", 1...256) ?? ImportOptions.processors,
      weights: formats.layers, head: formats.head?.format,
      progress: { bar.update(done: $0.bytesDone, total: $0.bytesTotal) },
      checkTokenizer: { bytes, vocabularySize in try ModelText.checkTokenizer(bytes, vocabularySize: vocabularySize) },
      checkSources: signed.covers)
    if let pack {
      let manifest = try Pack.importPack(directory: directory, to: pack, options: options)
      bar.finish()
      report(digest: manifest.digest.description, place: pack, signed)
    } else {
      let chosen = try ModelName(name ?? ImportCommand.defaultName(directory))
      let store = ModelStore(root: settings.modelsFolder)
      let provenance = ModelProvenance(
        importedAt: Int(Date().timeIntervalSince1970),
        licence: Licence.of(folder: directory) ?? Licence.of(gguf: directory),
        path: URL(fileURLWithPath: directory).standardizedFileURL.path, weights: options.formats.description)
      let digest = try store.importModel(directory: directory, as: chosen, options: options, provenance: provenance)
      try signed.record(in: store, digest)
      bar.finish()
      report(digest: digest.description, place: chosen.text, signed)
    }
  }

  /// The pack that is the whole model: the file itself, or the one in a published folder.
  private static func packFile(_ path: String) throws -> String? {
    switch try FileSystem.kind(of: path) {
    case .file: return path.hasSuffix(".pack") ? path : nil
    case .directory:
      let inside = path + "/" + ModelCard.packName
      guard try FileSystem.kind(of: path + "/config.json") == nil else { return nil }
      return try FileSystem.kind(of: inside) == .file ? inside : nil
    case .other, nil: return nil
    }
  }

  private func importPack(_ path: String, _ signed: ImportedSignature, _ settings: Settings) throws {
    guard pack == nil else {
      throw CommandFailure("\(path) is a pack already", hint: "copy the file, or import it without --pack")
    }
    try signed.covers(pack: FileSystem.name(of: path))
    let chosen = try ModelName(name ?? ImportCommand.defaultName(directory))
    let store = ModelStore(root: settings.modelsFolder)
    let model = try Waiting.during("importing") {
      let model = try Pack.load(path: path)
      try ModelText.checkTokenizer(model.tokenizer, vocabularySize: model.manifest.config.vocabularySize)
      try store.add(model, as: chosen)
      return model
    }
    try signed.record(in: store, model.digest)
    report(digest: model.digest.description, place: chosen.text, signed)
  }

  private func report(digest: String, place: String, _ signed: ImportedSignature) {
    signed.note()
    if json {
      print(
        (["digest": .string(digest), "name": .string(place), "signature": signed.json] as JSON).text())
    } else {
      print("\(place)  \(digest)")
    }
  }

  /// The last path component without `.gguf` or `.pack`, in the letters a name may have.
  static func defaultName(_ directory: String) -> String {
    var last = directory.split(separator: "/").last.map(String.init) ?? directory
    for ending in [".gguf", ".pack"] where last.hasSuffix(ending) { last.removeLast(5) }
    return String(last.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) ? $0 : "-" })
  }
}
