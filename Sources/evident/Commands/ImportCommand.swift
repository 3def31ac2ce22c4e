import ArgumentParser
import Digests
import ModelFiles
import ModelGraph
import Verification

struct ImportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "import",
    abstract: "Converts a Hugging Face directory or a GGUF file into exact integers and keeps it.",
    discussion: """
      A directory holds config.json, tokenizer.json and safetensors; of a GGUF model in parts give any part.
      The same files give the same model digest on every machine.
      """)

  @Argument(help: ArgumentHelp("The directory or GGUF file.", valueName: "path"), completion: .file())
  var directory: String
  @Option(help: "The name to keep it under (default: that of the directory or file in lower case).")
  var name: String?
  @Option(help: ArgumentHelp("Write a pack file instead of adding to the store.", valueName: "file"))
  var pack: String?
  @Option(help: "Threads to use; the result does not depend on it.") var threads: Int?
  @Flag(help: "Print JSON.") var json = false

  func run() async throws {
    let settings = try await Settings()
    let bar = ProgressBar("importing")
    defer { bar.finish() }
    let options = ImportOptions(
      threads: try threads ?? settings.integer("threads", 1...256) ?? ImportOptions.processors,
      progress: { bar.update(done: $0.bytesDone, total: $0.bytesTotal) },
      checkTokenizer: { bytes, vocabularySize in try ModelText.checkTokenizer(bytes, vocabularySize: vocabularySize) })
    if let pack {
      let manifest = try Pack.importPack(directory: directory, to: pack, options: options)
      bar.finish()
      report(digest: manifest.digest.description, place: pack)
    } else {
      let chosen = try ModelName(name ?? ImportCommand.defaultName(directory))
      let digest = try ModelStore(root: settings.modelsFolder)
        .importModel(directory: directory, as: chosen, options: options)
      bar.finish()
      report(digest: digest.description, place: chosen.text)
    }
  }

  private func report(digest: String, place: String) {
    if json {
      print((["digest": .string(digest), "name": .string(place)] as JSON).text())
    } else {
      print("\(place)  \(digest)")
    }
  }

  /// The last path component without `.gguf`, in the letters a name may have.
  static func defaultName(_ directory: String) -> String {
    var last = directory.split(separator: "/").last.map(String.init) ?? directory
    if last.hasSuffix(".gguf") { last.removeLast(5) }
    return String(last.lowercased().map { $0.isASCII && ($0.isLetter || $0.isNumber || "._-".contains($0)) ? $0 : "-" })
  }
}
