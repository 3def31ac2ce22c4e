import ArgumentParser
import Digests
import ModelFiles
import ModelGraph

struct CopyCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "cp",
    abstract: "Gives a model another name; the content is shared.",
    discussion: """
      A name may have one variant after a colon. A name that stood for another model
      moves; that model stays under its digest.

        evident cp qwen3-0.6b qwen3-0.6b:8bit
      """,
    aliases: ["tag"])

  @Argument(help: "A name, a digest or its beginning, or a .pack file.") var source: String
  @Argument(help: "The new name.") var new: String
  @Flag(help: "Print JSON.") var json = false

  func run() async throws {
    let name = try ModelName(new)
    let naming = try ModelStore(root: try await Settings().modelsFolder).copy(source, to: name)
    if json {
      print(
        ([
          "name": .string(name.text), "digest": .string(naming.digest.description),
          "previous": naming.previous.map { .string($0.description) } ?? .null,
        ] as JSON).text())
      return
    }
    print("\(name)  \(naming.digest)")
    if let previous = naming.previous { Terminal.note("it stood for \(previous), which stays in the store") }
  }
}
